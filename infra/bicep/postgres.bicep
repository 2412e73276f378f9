// Postgres Flexible Server: Entra sign-in only, PgBouncer in front, failover and backups as the environment says.
// The database and its roles are made by infra/hooks/database.py, so that they belong to the administrator's role.
param name string
param location string
param tags object

param size {
  sku: string
  tier: 'Burstable' | 'GeneralPurpose' | 'MemoryOptimized'
  storageGb: int
  highAvailability: 'Disabled' | 'SameZone' | 'ZoneRedundant'
  backupDays: int
  geoBackup: bool
  maxConnections: int
}
param admin { objectId: string, name: string, type: 'Group' | 'ServicePrincipal' | 'User' }
param privateNetwork bool
param workspaceId string

// Burstable servers have no PgBouncer (Microsoft Learn, "PgBouncer in Azure Database for PostgreSQL").
var pooled = size.tier != 'Burstable'
var secured = [
  { name: 'require_secure_transport', value: 'ON' }
  { name: 'ssl_min_protocol_version', value: 'TLSv1.2' }
]
var pooling = [
  { name: 'pgbouncer.enabled', value: 'true' }
  { name: 'pgbouncer.pool_mode', value: 'transaction' }
  // For the one role and database that the app uses. More transactions at once make a server of few cores slower:
  // better that they wait in PgBouncer.
  { name: 'pgbouncer.default_pool_size', value: '50' }
]

resource server 'Microsoft.DBforPostgreSQL/flexibleServers@2025-08-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: size.sku, tier: size.tier }
  properties: {
    version: '18' // what the tests run on
    authConfig: { activeDirectoryAuth: 'Enabled', passwordAuth: 'Disabled', tenantId: tenant().tenantId }
    storage: { storageSizeGB: size.storageGb, autoGrow: 'Enabled' }
    backup: { backupRetentionDays: size.backupDays, geoRedundantBackup: size.geoBackup ? 'Enabled' : 'Disabled' }
    highAvailability: { mode: size.highAvailability }
    network: { publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled' }
  }
}

@batchSize(1) // the server takes one change at a time
resource parameters 'Microsoft.DBforPostgreSQL/flexibleServers/configurations@2025-08-01' = [
  for one in concat(secured, pooled ? pooling : []): {
    parent: server
    name: one.name
    properties: { value: one.value, source: 'user-override' }
  }
]

resource administrator 'Microsoft.DBforPostgreSQL/flexibleServers/administrators@2025-08-01' = {
  parent: server
  name: admin.objectId
  dependsOn: [parameters]
  properties: { principalName: admin.name, principalType: admin.type, tenantId: tenant().tenantId }
}

// A Flex Consumption app without a network has no address of its own; who gets in still needs a token of the directory.
resource fromAzure 'Microsoft.DBforPostgreSQL/flexibleServers/firewallRules@2025-08-01' = if (!privateNetwork) {
  parent: server
  name: 'from-azure'
  dependsOn: [administrator]
  properties: { startIpAddress: '0.0.0.0', endIpAddress: '0.0.0.0' }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'logs'
  scope: server
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'PostgreSQLLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output id string = server.id
output name string = server.name
output host string = server.properties.fullyQualifiedDomainName
output port int = pooled ? 6432 : 5432
