// The function app on Flex Consumption, its settings (all of them are here) and the sign-in of the page.
param name string
param location string
param tags object
param identityId string
param identityClientId string
param hostStorageName string

@description('Address of the container that holds the deployed package.')
param packages string
param queueUri string
param vaultUri string

@description('libpq address without a password: the identity brings a token.')
param databaseUrl string
param insightsConnection string
param workspaceId string
param signInClientId string
param corsOrigins string[]
param mail { host: string, sender: string, user: string, passwordName: string }
param pageUrl string
param instances { memoryMb: 512 | 2048 | 4096, most: int }

@description('The subnet through which the app calls out; empty without a private network.')
param subnetId string

@description('Authorities that the image trusts; Postgres must show a certificate of one of them for its own name.')
param rootCertificates string = '/etc/ssl/certs/ca-certificates.crt'

var url = 'https://${name}.azurewebsites.net'

// Equal to ocs/settings.py: a rule test compares names and defaults. The schedules must stand here, since the host
// reads them itself. The vault's CA file and the clock's shift are of the local stack and never stand here.
var settings = {
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnection
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD;ClientId=${identityClientId}'
  AZURE_CLIENT_ID: identityClientId
  AzureWebJobsStorage__accountName: hostStorageName
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID: identityClientId
  OCS_STORAGE__queueServiceUri: queueUri
  OCS_STORAGE__credential: 'managedidentity'
  OCS_STORAGE__clientId: identityClientId
  OCS_DATABASE_URL: '${databaseUrl}?sslmode=verify-full&sslrootcert=${rootCertificates}'
  OCS_DATABASE_AUTH: 'entra'
  OCS_DATABASE_POOL_SIZE: '4'
  OCS_DATABASE_PREPARED_STATEMENTS: 'false'
  OCS_VAULT_URL: vaultUri
  OCS_SECRET_CACHE_SECONDS: '3600'
  OCS_SIGN_IN_ISSUER: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
  OCS_SIGN_IN_AUDIENCE: signInClientId
  OCS_STAFF_REQUESTS_PER_MINUTE: '600'
  OCS_POS_REQUESTS_PER_MINUTE: '600'
  OCS_BATCH_LINES: '500'
  OCS_LEASE_SECONDS: '40'
  OCS_POST_TIMEOUT_SECONDS: '30'
  OCS_GET_TIMEOUT_SECONDS: '120'
  OCS_DRAIN_SECONDS: '20'
  OCS_RETRY_SCHEDULE: '60,300,900,3600,21600,86400'
  OCS_BREAKER_OPEN_SECONDS: '30'
  OCS_CREDENTIALS_WAIT_SECONDS: '60'
  OCS_SWEEP_SCHEDULE: '*/15 * * * * *'
  OCS_POSITIONS_SCHEDULE: '0 */5 * * * *'
  OCS_CATALOGUE_SCHEDULE: '0 30 8 * * *'
  OCS_SHIPPING_SCHEDULE: '0 10 */6 * * *'
  OCS_ALERTS_SCHEDULE: '*/30 * * * * *'
  OCS_SMTP_HOST: mail.host
  OCS_SMTP_PORT: '587'
  OCS_SMTP_TLS: 'starttls'
  OCS_SMTP_FROM: mail.sender
  OCS_SMTP_USER: mail.user
  OCS_SMTP_PASSWORD_NAME: mail.passwordName
  OCS_PAGE_URL: empty(pageUrl) ? url : pageUrl
  OCS_AUDIT_CALLS_DAYS: '90'
  OCS_AUDIT_ACTS_DAYS: '1095'
  OCS_LOG_LEVEL: 'INFO'
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { tier: 'FlexConsumption', name: 'FC1' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      cors: { allowedOrigins: corsOrigins, supportCredentials: false }
    }
    functionAppConfig: {
      runtime: { name: 'python', version: '3.11' }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packages
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      // Instances drain before they are replaced; an aborted one would leave a store's lease to run out.
      siteUpdateStrategy: { type: 'RollingUpdate' }
      scaleAndConcurrency: {
        instanceMemoryMB: instances.memoryMb
        maximumInstanceCount: instances.most
        // The function that answers doorbells: from zero it could not keep the promise of one minute.
        alwaysReady: [{ name: 'function:deliver', instanceCount: 1 }]
      }
    }
  }

  resource appSettings 'config' = {
    name: 'appsettings'
    properties: settings
  }

  // Who brings no session is let through: staff bring tokens and POS systems keys, which the app checks itself.
  // With a session the page's visitor arrives with X-MS-TOKEN-AAD-ID-TOKEN, which is what the token store is for.
  resource signIn 'config' = {
    name: 'authsettingsV2'
    dependsOn: [appSettings]
    properties: {
      platform: { enabled: true, runtimeVersion: '~1' }
      globalValidation: { requireAuthentication: false, unauthenticatedClientAction: 'AllowAnonymous' }
      httpSettings: { requireHttps: true }
      identityProviders: {
        azureActiveDirectory: {
          enabled: true
          registration: {
            clientId: signInClientId
            // The identity vouches for the app (a federated credential), so there is no client secret to rotate.
            clientSecretSettingName: 'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID'
            openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
          }
          validation: { allowedAudiences: [signInClientId, 'api://${signInClientId}'] }
        }
      }
      login: { tokenStore: { enabled: true } }
    }
  }

  resource noPasswordForUploads 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }

  resource noPasswordForFtp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }
}

// What the app itself says goes to Application Insights; here only who signed in.
resource signIns 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'sign-ins'
  scope: app
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'AppServiceAuthenticationLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
