// Everything that one environment needs, in a resource group of its own. One module for each concern.
// The parameters of an environment are in dev.bicepparam, uat.bicepparam and prod.bicepparam.
targetScope = 'subscription'

@description('Which environment this is: part of every name.')
@allowed(['dev', 'uat', 'prod'])
param environmentName string

@description('The name by which azd finds the environment again; any for deployments without azd.')
param azdEnvironment string

@description('Where everything is. Reports of Ontario stores stay in Canada.')
@allowed(['canadacentral', 'canadaeast'])
param location string

@description('Client id of the app registration with which staff sign in: see infra/README.md.')
@minLength(36)
param signInClientId string

@description('The Entra principal that administers Postgres and owns the tables: whoever deploys signs in as it.')
param databaseAdmin { objectId: string, name: string, type: 'Group' | 'ServicePrincipal' | 'User' }

@description('How large Postgres is, how it fails over and how long its backups are kept.')
param database {
  sku: string
  tier: 'Burstable' | 'GeneralPurpose' | 'MemoryOptimized'
  storageGb: int
  highAvailability: 'Disabled' | 'SameZone' | 'ZoneRedundant'
  backupDays: int
  geoBackup: bool
  maxConnections: int
}

@description('Memory of an instance in MB, and how many instances of a function there can be.')
param instances { memoryMb: 512 | 2048 | 4096, most: int }

@description('The one switch for a virtual network with private endpoints; nothing but HTTPS is public then.')
param privateNetwork bool

@description('Origins that may call the API from a browser; the page itself needs none.')
param corsOrigins string[]

@description('Object ids of the POS systems that put messages on the queues; others post over HTTPS.')
param posSenders string[]

@description('Mail addresses of those who are woken.')
param alertAddresses string[]

@description('How the product sends its own alerts by mail; an empty host sends none. The password is in Key Vault.')
param mail { host: string, sender: string, user: string, passwordName: string }

@description('Where staff find the page; empty for the address that Azure gives.')
param pageUrl string

@description('Gigabytes of logs and metrics a day, above which nothing more is taken until midnight UTC.')
@minValue(1)
param logCapGb int

var tags = { 'azd-env-name': azdEnvironment, product: 'ocs', environment: environmentName }
var suffix = uniqueString(subscription().id, environmentName, location)
var name = 'ocs-${environmentName}-${suffix}'

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-ocs-${environmentName}'
  location: location
  tags: tags
}

module identity 'identity.bicep' = {
  name: 'identity'
  scope: group
  params: { name: name, location: location, tags: tags }
}

module monitoring 'monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: { name: name, location: location, tags: tags, capGb: logCapGb }
}

module storage 'storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    prefix: 'ocs${environmentName}${suffix}'
    location: location
    tags: tags
    privateNetwork: privateNetwork
    workspaceId: monitoring.outputs.workspaceId
  }
}

module vault 'vault.bicep' = {
  name: 'vault'
  scope: group
  params: {
    name: name
    location: location
    tags: tags
    privateNetwork: privateNetwork
    workspaceId: monitoring.outputs.workspaceId
  }
}

module postgres 'postgres.bicep' = {
  name: 'postgres'
  scope: group
  params: {
    name: name
    location: location
    tags: tags
    size: database
    admin: databaseAdmin
    privateNetwork: privateNetwork
    workspaceId: monitoring.outputs.workspaceId
  }
}

module network 'network.bicep' = if (privateNetwork) {
  name: 'network'
  scope: group
  params: {
    name: name
    location: location
    tags: tags
    vaultId: vault.outputs.id
    hostStorageId: storage.outputs.hostId
    queueStorageId: storage.outputs.queueId
    postgresId: postgres.outputs.id
  }
}

module access 'access.bicep' = {
  name: 'access'
  scope: group
  params: {
    appPrincipalId: identity.outputs.principalId
    posSenders: posSenders
    vaultName: vault.outputs.name
    hostStorageName: storage.outputs.hostName
    queueStorageName: storage.outputs.queueName
    insightsName: monitoring.outputs.insightsName
  }
}

module functions 'functions.bicep' = {
  name: 'functions'
  scope: group
  dependsOn: [access] // an app that starts before it may read its storage stays broken until it is restarted
  params: {
    name: name
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    hostStorageName: storage.outputs.hostName
    packages: storage.outputs.packages
    queueUri: storage.outputs.queueUri
    vaultUri: vault.outputs.uri
    databaseUrl: 'postgresql://${identity.outputs.name}@${postgres.outputs.host}:${postgres.outputs.port}/ocs'
    insightsConnection: monitoring.outputs.insightsConnection
    workspaceId: monitoring.outputs.workspaceId
    signInClientId: signInClientId
    corsOrigins: corsOrigins
    mail: mail
    pageUrl: pageUrl
    instances: instances
    subnetId: privateNetwork ? network!.outputs.functionsSubnetId : ''
  }
}

module alerts 'alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    name: name
    location: location
    tags: tags
    addresses: alertAddresses
    capGb: logCapGb
    mostConnections: database.maxConnections
    readyUrl: '${functions.outputs.url}/api/health/ready'
    workspaceId: monitoring.outputs.workspaceId
    insightsId: monitoring.outputs.insightsId
    postgresId: postgres.outputs.id
    vaultId: vault.outputs.id
    queueStorageId: storage.outputs.queueId
  }
}

module workbook 'workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: { name: name, location: location, tags: tags, workspaceId: monitoring.outputs.workspaceId }
}

// What the hooks need; azd hands them on as environment variables.
output OCS_RESOURCE_GROUP string = group.name
output OCS_APP_NAME string = functions.outputs.name
output OCS_APP_URL string = functions.outputs.url
output OCS_PRIVATE_NETWORK bool = privateNetwork
output OCS_DATABASE_SERVER string = postgres.outputs.name
output OCS_DATABASE_HOST string = postgres.outputs.host
output OCS_DATABASE_ADMIN string = databaseAdmin.name
output OCS_IDENTITY_NAME string = identity.outputs.name
output OCS_IDENTITY_OBJECT_ID string = identity.outputs.principalId
