// A developer's own: the smallest of everything, public addresses, no failover.
using 'main.bicep'

param environmentName = 'dev'
param azdEnvironment = readEnvironmentVariable('AZURE_ENV_NAME', 'dev')
param location = readEnvironmentVariable('AZURE_LOCATION', 'canadacentral')
param signInClientId = readEnvironmentVariable('OCS_SIGN_IN_CLIENT_ID')
param databaseAdmin = {
  objectId: readEnvironmentVariable('OCS_DATABASE_ADMIN_OBJECT_ID')
  name: readEnvironmentVariable('OCS_DATABASE_ADMIN_NAME')
  type: 'User'
}
param database = {
  sku: 'Standard_B1ms'
  tier: 'Burstable'
  storageGb: 32
  highAvailability: 'Disabled'
  backupDays: 7
  geoBackup: false
  maxConnections: 50
}
param instances = { memoryMb: 2048, most: 40 }
param privateNetwork = false
param corsOrigins = []
param posSenders = []
param alertAddresses = []
param mail = { host: '', sender: 'alerts@localhost', user: '', passwordName: '' }
param pageUrl = ''
param logCapGb = 1
