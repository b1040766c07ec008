// Breakwater in a resource group of its own, and its role in every subscription it watches.
// The alert rules come afterwards (alerts.bicep): they need a function key, which exists only once the code is there.
targetScope = 'subscription'

@minLength(1)
@maxLength(48)
@description('Name of the azd environment; part of the resource group name and of every generated name.')
param environmentName string

@minLength(1)
@description('Region for everything; it must offer Flex Consumption.')
@metadata({ azd: { type: 'location' } })
param location string

@secure()
@minLength(32)
@description('Signs the links in notices. Keep it between deployments: a new key ends the life of links already sent.')
param linkKey string

// Everything below comes from azd as text, and as empty text when nobody set it: empty means the default.

@description('Subscriptions to watch, separated by commas. Empty: the one deployed to.')
param subscriptions string = ''

@description('Name of the policy file in the package, usually policy.yaml. Empty: built-in defaults, and no receivers.')
param policy string = ''

@description('1: nothing new starts.')
param stop string = ''

@description('1: App Service authentication stands in front of the app, so that its header says who somebody is.')
param platformAuth string = ''

@description('When to sweep, as NCRONTAB with seconds. Empty: every five minutes.')
param sweepSchedule string = ''

@description('Seconds between polls while instances reboot or recover.')
param pollInterval string = ''

@description('Seconds until a start without an answer may be sent again.')
param inDoubt string = ''

@description('Seconds between searches for waves that no alert brought.')
param searchEvery string = ''

@description('Where people reach the pages. Empty: the host name of the function app.')
param publicUrl string = ''

@description('Sender of mail.')
param mailFrom string = ''

@description('Endpoint of Azure Communication Services, for mail without SMTP.')
param acsEndpoint string = ''

@description('Settings read from the vault, separated by commas, such as BREAKWATER_SMTP. The secret of A_B is called a-b.')
param secretSettings string = ''

@description('Redundancy of the storage account. Empty: Standard_LRS.')
@allowed(['', 'Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSku string = ''

@description('Instances kept warm for HTTP, so that alerts never meet a cold start. Empty: 0.')
param warmInstances string = ''

var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }
var here = subscription().subscriptionId
var clouds = { AzureCloud: 'public', AzureUSGovernment: 'usgov', AzureChinaCloud: 'china' }
var watched = split(empty(subscriptions) ? here : toLower(replace(subscriptions, ' ', '')), ',')

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity-${token}'
  scope: group
  params: {
    name: 'id-${token}'
    location: location
    tags: tags
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage-${token}'
  scope: group
  params: {
    name: 'st${token}'
    location: location
    tags: tags
    sku: empty(storageSku) ? 'Standard_LRS' : storageSku
    principalId: identity.outputs.principalId
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring-${token}'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    principalId: identity.outputs.principalId
  }
}

module vault 'modules/vault.bicep' = {
  name: 'vault-${token}'
  scope: group
  params: {
    name: 'kv-${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    linkKey: linkKey
  }
}

module app 'modules/app.bicep' = {
  name: 'app-${token}'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    blobEndpoint: storage.outputs.blobEndpoint
    queueEndpoint: storage.outputs.queueEndpoint
    tableEndpoint: storage.outputs.tableEndpoint
    packageContainer: storage.outputs.packageContainer
    insightsConnection: monitoring.outputs.connection
    vaultUri: vault.outputs.uri
    secretSettings: concat(
      ['BREAKWATER_LINK_KEY'],
      empty(secretSettings) ? [] : split(replace(secretSettings, ' ', ''), ',')
    )
    warmInstances: empty(warmInstances) ? 0 : int(warmInstances)
    publicUrl: publicUrl
    settings: {
      BREAKWATER_CLOUD: clouds[environment().name]
      BREAKWATER_SUBSCRIPTIONS: join(watched, ',')
      BREAKWATER_POLICY: empty(policy) ? '' : '/home/site/wwwroot/${policy}'
      BREAKWATER_SWEEP_SCHEDULE: empty(sweepSchedule) ? '0 */5 * * * *' : sweepSchedule
      BREAKWATER_POLL_INTERVAL: pollInterval
      BREAKWATER_IN_DOUBT: inDoubt
      BREAKWATER_SEARCH_EVERY: searchEvery
      BREAKWATER_MAIL_FROM: mailFrom
      BREAKWATER_ACS_ENDPOINT: acsEndpoint
      BREAKWATER_STOP: stop
      BREAKWATER_PLATFORM_AUTH: platformAuth
    }
  }
}

// The deployment's name carries the environment: two of them may watch the same subscription from two regions.
module role 'modules/role.bicep' = [for id in watched: {
  name: 'breakwater-role-${token}'
  scope: subscription(id)
  params: {
    principalId: identity.outputs.principalId
  }
}]

output AZURE_RESOURCE_GROUP string = group.name
output BREAKWATER_APP_NAME string = app.outputs.name
output BREAKWATER_APP_ID string = app.outputs.id
output BREAKWATER_APP_URL string = app.outputs.url
output BREAKWATER_PRINCIPAL_ID string = identity.outputs.principalId
output BREAKWATER_STORAGE_ACCOUNT string = storage.outputs.name
output BREAKWATER_VAULT string = vault.outputs.name
