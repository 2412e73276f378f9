// Who is woken by what: the product's own alerts, what Azure sees, and what nobody would tell of.
param name string
param location string
param tags object
param addresses string[]
param capGb int
param mostConnections int
param readyUrl string
param workspaceId string
param insightsId string
param postgresId string
param vaultId string
param queueStorageId string

var severities = { critical: 1, warning: 2 }

// Equal to ocs/alerts/causes.py: a rule test compares them. The app writes a line of log when it opens an alert.
var causes = [
  { cause: 'credentials_refused', severity: 'critical', title: 'The OCS platform refuses our credentials' }
  { cause: 'undeliverable', severity: 'warning', title: 'Lines cannot be delivered' }
  { cause: 'platform_down', severity: 'critical', title: 'The OCS platform does not serve us' }
  { cause: 'position_missing', severity: 'critical', title: 'Last night\'s position is missing' }
  { cause: 'shipping_notices_missing', severity: 'warning', title: 'Shipping notices cannot be read' }
  { cause: 'bad_signature', severity: 'critical', title: 'Messages came with a wrong signature' }
  { cause: 'breaker_open', severity: 'critical', title: 'The OCS platform does not answer' }
  { cause: 'oldest_unsent', severity: 'critical', title: 'Something is waiting to be sent for too long' }
  { cause: 'success_rate_low', severity: 'warning', title: 'Too many calls to the OCS platform fail' }
  { cause: 'latency_high', severity: 'warning', title: 'Sales take too long to be reported' }
  { cause: 'lines_refused', severity: 'warning', title: 'Lines were refused and wait for a person' }
  { cause: 'dead_letters', severity: 'warning', title: 'Messages could not be taken in' }
  { cause: 'poison_depth', severity: 'critical', title: 'Messages lie on a poison queue' }
  { cause: 'no_heartbeat', severity: 'critical', title: 'A timer does not run' }
  { cause: 'catalogue_unread', severity: 'warning', title: 'The item catalogue could not be read' }
  { cause: 'alerts_undelivered', severity: 'warning', title: 'Alerts do not reach somebody' }
]

var opened = 'AppTraces | extend line = parse_json(Message) | where tostring(line.event) == "alert opened"'
var ofCauses = map(causes, one => {
  key: 'product-${replace(one.cause, '_', '-')}'
  title: one.title
  severity: severities[one.severity]
  query: '${opened} and tostring(line.cause) == "${one.cause}"'
  window: 'PT5M'
  operator: 'GreaterThan'
  threshold: 0
})

var ofLogs = [
  {
    key: 'heartbeat-missing'
    title: 'The app has shown no sign of life for ten minutes'
    severity: 0
    query: 'AppMetrics | where Name == "ocs.oldest_unsent_seconds"'
    window: 'PT10M'
    operator: 'LessThan'
    threshold: 1
  }
  {
    key: 'poison-queue'
    title: 'Messages lie on a poison queue, and the app has not taken them away'
    severity: 1
    query: 'AppMetrics | where Name == "ocs.queue_depth" and tostring(Properties.queue) endswith "-poison" and Max > 0'
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: 5
  }
  {
    key: 'functions-failing'
    title: 'Functions fail'
    severity: 2
    query: 'AppRequests | where Success == false and toint(ResultCode) !between (400 .. 499)'
    window: 'PT15M'
    operator: 'GreaterThan'
    threshold: 20
  }
  {
    key: 'log-cap-near'
    title: 'Four fifths of the day\'s logs are used up: above the cap this page and all log alerts are blind'
    severity: 2
    query: 'Usage | where TimeGenerated > startofday(now()) and IsBillable | summarize Megabytes = sum(Quantity) | where Megabytes > ${capGb * 800}'
    window: 'P1D'
    operator: 'GreaterThan'
    threshold: 0
  }
]

// Names of metrics: Microsoft Learn, "Supported metrics with Azure Monitor".
var ofMetrics = [
  { key: 'postgres-down', title: 'Postgres does not answer', severity: 0, on: postgresId, space: 'Microsoft.DBforPostgreSQL/flexibleServers', metric: 'is_db_alive', how: 'Maximum', operator: 'LessThan', threshold: 1, window: 'PT5M', dimensions: [] }
  { key: 'postgres-storage', title: 'Postgres\' disk fills up', severity: 1, on: postgresId, space: 'Microsoft.DBforPostgreSQL/flexibleServers', metric: 'storage_percent', how: 'Average', operator: 'GreaterThan', threshold: 80, window: 'PT15M', dimensions: [] }
  { key: 'postgres-cpu', title: 'Postgres is at its limit', severity: 2, on: postgresId, space: 'Microsoft.DBforPostgreSQL/flexibleServers', metric: 'cpu_percent', how: 'Average', operator: 'GreaterThan', threshold: 85, window: 'PT15M', dimensions: [] }
  { key: 'postgres-connections', title: 'Postgres runs out of connections', severity: 1, on: postgresId, space: 'Microsoft.DBforPostgreSQL/flexibleServers', metric: 'active_connections', how: 'Maximum', operator: 'GreaterThan', threshold: mostConnections * 4 / 5, window: 'PT5M', dimensions: [] }
  { key: 'vault-availability', title: 'Key Vault does not serve all requests', severity: 1, on: vaultId, space: 'Microsoft.KeyVault/vaults', metric: 'Availability', how: 'Average', operator: 'LessThan', threshold: 99, window: 'PT15M', dimensions: [] }
  { key: 'queues-throttled', title: 'The queues\' storage refuses requests', severity: 2, on: queueStorageId, space: 'Microsoft.Storage/storageAccounts', metric: 'Transactions', how: 'Total', operator: 'GreaterThan', threshold: 100, window: 'PT15M', dimensions: [{ name: 'ResponseType', operator: 'Include', values: ['ServerBusyError', 'ClientThrottlingError', 'ClientAccountRequestThrottlingError'] }] }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'ocs'
    emailReceivers: [for (address, index) in addresses: {
      name: 'address ${index + 1}'
      emailAddress: address
      useCommonAlertSchema: true
    }]
  }
}

resource logAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for one in concat(ofCauses, ofLogs): {
  name: '${name}-${one.key}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: one.title
    description: one.title
    enabled: true
    severity: one.severity
    scopes: [workspaceId]
    evaluationFrequency: one.window == 'P1D' ? 'PT1H' : 'PT5M'
    windowSize: one.window
    skipQueryValidation: true // its tables come into being with the first rows
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: one.query
          timeAggregation: 'Count'
          operator: one.operator
          threshold: one.threshold
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: { actionGroups: [people.id] }
  }
}]

resource metricAlerts 'Microsoft.Insights/metricAlerts@2018-03-01' = [for one in ofMetrics: {
  name: '${name}-${one.key}'
  location: 'global'
  tags: tags
  properties: {
    description: one.title
    enabled: true
    severity: one.severity
    scopes: [one.on]
    evaluationFrequency: 'PT5M'
    windowSize: one.window
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: one.key
          metricNamespace: one.space
          metricName: one.metric
          timeAggregation: one.how
          operator: one.operator
          threshold: one.threshold
          dimensions: one.dimensions
        }
      ]
    }
    actions: [{ actionGroupId: people.id }]
  }
}]

// From outside, since an app that is down reports nothing. Five places: one of them is often disturbed by itself.
resource outside 'Microsoft.Insights/webtests@2022-06-15' = {
  name: '${name}-ready'
  location: location
  tags: union(tags, { 'hidden-link:${insightsId}': 'Resource' })
  kind: 'standard'
  properties: {
    SyntheticMonitorId: '${name}-ready'
    Name: 'ready, from outside'
    Enabled: true
    Frequency: 300
    Timeout: 30
    Kind: 'standard'
    RetryEnabled: true
    Locations: [for place in ['us-va-ash-azr', 'us-il-ch1-azr', 'us-ca-sjc-azr', 'us-tx-sn1-azr', 'emea-gb-db3-azr']: {
      Id: place
    }]
    Request: { RequestUrl: readyUrl, HttpVerb: 'GET', ParseDependentRequests: false, FollowRedirects: false }
    ValidationRules: { ExpectedHttpStatusCode: 200, SSLCheck: true, SSLCertRemainingLifetimeCheck: 14 }
  }
}

resource unreachable 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${name}-unreachable'
  location: 'global'
  tags: tags
  properties: {
    description: 'The app is not ready, seen from two places outside or more'
    enabled: true
    severity: 0
    scopes: [outside.id, insightsId]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: outside.id
      componentId: insightsId
      failedLocationCount: 2
    }
    actions: [{ actionGroupId: people.id }]
  }
}
