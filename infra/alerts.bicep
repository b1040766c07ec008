// Announcements of one subscription on their way to Breakwater. Deployed once in each watched subscription, after the
// code: the receiver's address carries a function key.
targetScope = 'subscription'

@description('Region of the resource group; the resources in it are global.')
param location string

@description('Resource id of the function app; it may be in another subscription of the tenant.')
param functionAppResourceId string

@secure()
@description('Full address of the receiver with its key: https://<app>/api/alerts?code=<key>.')
param httpTriggerUrl string

@description('Name of the function behind /api/alerts.')
param functionName string = 'receive'

@description('Also gets every announcement, from Azure itself, should Breakwater be down. Empty: nobody.')
param fallbackEmail string = ''

param resourceGroupName string = 'rg-breakwater-alerts'

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: resourceGroupName
  location: location
}

module alert 'modules/alert.bicep' = {
  name: 'breakwater-alert'
  scope: group
  params: {
    functionAppResourceId: functionAppResourceId
    functionName: functionName
    httpTriggerUrl: httpTriggerUrl
    fallbackEmail: fallbackEmail
  }
}
