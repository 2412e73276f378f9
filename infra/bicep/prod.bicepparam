// Production: a standby in another zone, backups for 35 days that also lie in the paired region, a private network.
using 'main.bicep'

param environmentName = 'prod'
param azdEnvironment = readEnvironmentVariable('AZURE_ENV_NAME', 'prod')
param location = readEnvironmentVariable('AZURE_LOCATION', 'canadacentral')
param signInClientId = readEnvironmentVariable('OCS_SIGN_IN_CLIENT_ID')
param databaseAdmin = {
  objectId: readEnvironmentVariable('OCS_DATABASE_ADMIN_OBJECT_ID')
  name: readEnvironmentVariable('OCS_DATABASE_ADMIN_NAME')
  type: 'Group'
}
param database = {
  sku: 'Standard_D4ds_v5'
  tier: 'GeneralPurpose'
  storageGb: 256
  highAvailability: 'ZoneRedundant'
  backupDays: 35
  geoBackup: true
  maxConnections: 1718
}
param instances = { memoryMb: 2048, most: 100 }
param privateNetwork = true
param corsOrigins = []
param posSenders = []
param alertAddresses = [readEnvironmentVariable('OCS_ALERT_ADDRESS')]
param mail = {
  host: readEnvironmentVariable('OCS_SMTP_HOST')
  sender: readEnvironmentVariable('OCS_SMTP_FROM')
  user: readEnvironmentVariable('OCS_SMTP_USER')
  passwordName: 'smtp-password'
}
param pageUrl = readEnvironmentVariable('OCS_PAGE_URL', '')
param logCapGb = 10
