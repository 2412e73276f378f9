// Who may do what: the one table of role assignments, each with its reason. Nothing is assigned anywhere else.
param appPrincipalId string
param posSenders string[]
param vaultName string
param hostStorageName string
param queueStorageName string
param insightsName string

// Role ids: Microsoft Learn, "Azure built-in roles".
var table = [
  {
    role: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
    title: 'Storage Blob Data Owner'
    scope: 'host'
    principal: 'app'
    reason: 'The Functions host keeps its locks and leases there and reads the package; the host asks for this role.'
  }
  {
    role: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
    title: 'Storage Queue Data Contributor'
    scope: 'queues'
    principal: 'app'
    reason: 'It takes messages, rings doorbells, and makes a poison queue that is missing.'
  }
  {
    role: 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
    title: 'Key Vault Secrets Officer'
    scope: 'vault'
    principal: 'app'
    reason: 'It reads credentials at each call, and writes those that staff enter and the keys of POS systems.'
  }
  {
    role: '3913510d-42f4-4e42-8a64-420c390055eb'
    title: 'Monitoring Metrics Publisher'
    scope: 'insights'
    principal: 'app'
    reason: 'Application Insights takes telemetry from identities only.'
  }
  {
    role: 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'
    title: 'Storage Queue Data Message Sender'
    scope: 'doors'
    principal: 'pos'
    reason: 'A POS puts messages on its two queues and can neither read nor take away any.'
  }
]
var onHost = filter(table, one => one.scope == 'host')
var onQueues = filter(table, one => one.scope == 'queues')
var onVault = filter(table, one => one.scope == 'vault')
var onInsights = filter(table, one => one.scope == 'insights')
var ofPos = filter(table, one => one.scope == 'doors')[0]

resource host 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: hostStorageName
}

resource queues 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: queueStorageName

  resource service 'queueServices' existing = {
    name: 'default'

    resource transactions 'queues' existing = {
      name: 'pos-transactions'
    }

    resource inventories 'queues' existing = {
      name: 'pos-inventories'
    }
  }
}

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: vaultName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource rolesOnHost 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for one in onHost: {
  name: guid(host.id, appPrincipalId, one.role)
  scope: host
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', one.role)
    description: one.reason
  }
}]

resource rolesOnQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for one in onQueues: {
  name: guid(queues.id, appPrincipalId, one.role)
  scope: queues
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', one.role)
    description: one.reason
  }
}]

resource rolesOnVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for one in onVault: {
  name: guid(vault.id, appPrincipalId, one.role)
  scope: vault
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', one.role)
    description: one.reason
  }
}]

resource rolesOnInsights 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for one in onInsights: {
  name: guid(insights.id, appPrincipalId, one.role)
  scope: insights
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', one.role)
    description: one.reason
  }
}]

resource sendersOfTransactions 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for sender in posSenders: {
  name: guid(queues::service::transactions.id, sender, ofPos.role)
  scope: queues::service::transactions
  properties: {
    principalId: sender
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', ofPos.role)
    description: ofPos.reason
  }
}]

resource sendersOfInventories 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for sender in posSenders: {
  name: guid(queues::service::inventories.id, sender, ofPos.role)
  scope: queues::service::inventories
  properties: {
    principalId: sender
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', ofPos.role)
    description: ofPos.reason
  }
}]
