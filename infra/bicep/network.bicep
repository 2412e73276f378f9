// The private network: the app's subnet, and a private endpoint with its name for each thing that the app calls.
param name string
param location string
param tags object
param vaultId string
param hostStorageId string
param queueStorageId string
param postgresId string

// Names of Azure's private zones: Microsoft Learn, "Azure Private Endpoint private DNS zone values".
var endpoints = [
  { what: 'vault', id: vaultId, group: 'vault', zone: 'privatelink.vaultcore.azure.net' }
  { what: 'packages', id: hostStorageId, group: 'blob', zone: 'privatelink.blob.${environment().suffixes.storage}' }
  { what: 'queues', id: queueStorageId, group: 'queue', zone: 'privatelink.queue.${environment().suffixes.storage}' }
  { what: 'postgres', id: postgresId, group: 'postgresqlServer', zone: 'privatelink.postgres.database.azure.com' }
]

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.20.0.0/23'] }
    subnets: [
      {
        name: 'functions'
        properties: {
          addressPrefix: '10.20.0.0/24'
          delegations: [{ name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      {
        name: 'endpoints'
        properties: { addressPrefix: '10.20.1.0/26' }
      }
    ]
  }

  resource functionsSubnet 'subnets' existing = {
    name: 'functions'
  }

  resource endpointsSubnet 'subnets' existing = {
    name: 'endpoints'
  }
}

resource zones 'Microsoft.Network/privateDnsZones@2020-06-01' = [for one in endpoints: {
  name: one.zone
  location: 'global'
  tags: tags
}]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2020-06-01' = [for (one, index) in endpoints: {
  parent: zones[index]
  name: name
  location: 'global'
  properties: { registrationEnabled: false, virtualNetwork: { id: network.id } }
}]

resource doors 'Microsoft.Network/privateEndpoints@2024-05-01' = [for one in endpoints: {
  name: '${name}-${one.what}'
  location: location
  tags: tags
  properties: {
    subnet: { id: network::endpointsSubnet.id }
    privateLinkServiceConnections: [
      { name: one.what, properties: { privateLinkServiceId: one.id, groupIds: [one.group] } }
    ]
  }
}]

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = [for (one, index) in endpoints: {
  parent: doors[index]
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [{ name: one.what, properties: { privateDnsZoneId: zones[index].id } }]
  }
}]

output functionsSubnetId string = network::functionsSubnet.id
