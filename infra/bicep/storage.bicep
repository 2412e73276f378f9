// Two accounts: the host's own, with the packages, and the queues. A POS that may write to a queue reaches nothing else.
param prefix string
param location string
param tags object
param privateNetwork bool
param workspaceId string

var packages = 'packages'
var queueNames = [
  'pos-transactions'
  'pos-transactions-poison'
  'pos-inventories'
  'pos-inventories-poison'
  'ocs-deliveries'
  'ocs-deliveries-poison'
]

resource host 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: '${prefix}h'
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_ZRS' }
  properties: {
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'
    networkAcls: { defaultAction: privateNetwork ? 'Deny' : 'Allow', bypass: 'None' }
  }

  resource blobs 'blobServices' = {
    name: 'default'

    resource container 'containers' = {
      name: packages
      properties: { publicAccess: 'None' }
    }
  }
}

resource queue 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: '${prefix}q'
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_ZRS' } // a message that a zone loses is a sale that nobody reports
  properties: {
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'
    networkAcls: { defaultAction: privateNetwork ? 'Deny' : 'Allow', bypass: 'None' }
  }

  resource service 'queueServices' = {
    name: 'default'
  }
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices/queues@2024-01-01' = [for one in queueNames: {
  parent: queue::service
  name: one
}]

// Deletes of packages are logged. Queues are polled every second: their reads and writes would be most of the bill, so
// only their transactions are counted.
resource packageLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'packages'
  scope: host::blobs
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'StorageDelete', enabled: true }]
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

resource queueLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'queues'
  scope: queue::service
  properties: {
    workspaceId: workspaceId
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

output hostId string = host.id
output hostName string = host.name
output packages string = '${host.properties.primaryEndpoints.blob}${packages}'
output queueId string = queue.id
output queueName string = queue.name
output queueUri string = queue.properties.primaryEndpoints.queue
