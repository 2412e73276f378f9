// For evidence towards OCS: small, but pooled and in a private network as production is.
using 'main.bicep'

param environmentName = 'uat'
param azdEnvironment = readEnvironmentVariable('AZURE_ENV_NAME', 'uat')
param location = readEnvironmentVariable('AZURE_LOCATION', 'canadacentral')
param signInClientId = readEnvironmentVariable('OCS_SIGN_IN_CLIENT_ID')
param databaseAdmin = {
  objectId: readEnvironmentVariable('OCS_DATABASE_ADMIN_OBJECT_ID')
  name: readEnvironmentVariable('OCS_DATABASE_ADMIN_NAME')
  type: 'Group'
}
param database = {
  sku: 'Standard_D2ds_v5'
  tier: 'GeneralPurpose'
  storageGb: 64
  highAvailability: 'Disabled'
  backupDays: 14
  geoBackup: false
  maxConnections: 859
}
param instances = { memoryMb: 2048, most: 40 }
param privateNetwork = true
param corsOrigins = []
param posSenders = []
param alertAddresses = [readEnvironmentVariable('OCS_ALERT_ADDRESS')]
param mail = { host: '', sender: 'alerts@localhost', user: '', passwordName: '' }
param pageUrl = ''
param logCapGb = 2
