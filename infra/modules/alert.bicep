// Action group and alert rule. Both are global: Service Health alerts reach no regional action group.
param functionAppResourceId string
param functionName string
param fallbackEmail string

@secure()
param httpTriggerUrl string

resource actions 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'breakwater'
  location: 'Global'
  properties: {
    groupShortName: 'breakwater'
    enabled: true
    azureFunctionReceivers: [
      {
        name: 'breakwater'
        functionAppResourceId: functionAppResourceId
        functionName: functionName
        httpTriggerUrl: httpTriggerUrl
        useCommonAlertSchema: true
      }
    ]
    emailReceivers: empty(fallbackEmail) ? [] : [
      {
        name: 'fallback'
        emailAddress: fallbackEmail
        useCommonAlertSchema: true
      }
    ]
  }
}

var watched = subscription().id

// A Service Health rule watches exactly one subscription. No filter on regions: deciding who is hit is Breakwater's.
resource rule 'Microsoft.Insights/activityLogAlerts@2020-10-01' = {
  name: 'breakwater-planned-maintenance'
  location: 'Global'
  properties: {
    description: 'Planned maintenance of virtual machines and scale sets, for Breakwater.'
    enabled: true
    scopes: [watched]
    condition: {
      allOf: [
        { field: 'category', equals: 'ServiceHealth' }
        { field: 'properties.incidentType', equals: 'Maintenance' }
        {
          field: 'properties.impactedServices[*].ServiceName'
          containsAny: ['Virtual Machines', 'Virtual Machine Scale Sets']
        }
      ]
    }
    actions: {
      actionGroups: [{ actionGroupId: actions.id }]
    }
  }
}
