// Logs, traces and metrics: one workspace with a daily cap, and Application Insights that only identities may write to.
param name string
param location string
param tags object

@description('Gigabytes a day; alerts.bicep warns at four fifths of it.')
param capGb int

@description('How long logs can be searched. The audit itself is in Postgres, for three years.')
param retentionDays int = 30

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    workspaceCapping: { dailyQuotaGb: capGb }
    features: { disableLocalAuth: true }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: name
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
  }
}

resource questions 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'who-read-what'
  scope: workspace
  properties: {
    workspaceId: workspace.id
    logs: [{ categoryGroup: 'audit', enabled: true }]
  }
}

output workspaceId string = workspace.id
output insightsId string = insights.id
output insightsName string = insights.name
@description('An address and a name, no secret: local sign-in is off, so it lets nobody in.')
output insightsConnection string = insights.properties.ConnectionString
