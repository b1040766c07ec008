// What Breakwater may do in one watched subscription, and nothing more. Also deployed on its own for subscriptions
// that join later (docs/deploy.md).
targetScope = 'subscription'

@description('Object id of Breakwater\'s identity.')
param principalId string

// Maintenance is started instance by instance. The scale-set-wide action is left out on purpose: called without
// a list of instances it takes every one down, and without the right it cannot be called at all. Of the scale set as
// a whole only the state of its orchestration services may be set: automatic repairs are suspended meanwhile.
var actions = [
  'Microsoft.Authorization/permissions/read'
  'Microsoft.Compute/virtualMachineScaleSets/read'
  'Microsoft.Compute/virtualMachineScaleSets/instanceView/read'
  'Microsoft.Compute/virtualMachineScaleSets/rollingUpgrades/read'
  'Microsoft.Compute/virtualMachineScaleSets/setOrchestrationServiceState/action'
  'Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read'
  'Microsoft.Compute/virtualMachineScaleSets/virtualMachines/instanceView/read'
  'Microsoft.Compute/virtualMachineScaleSets/virtualMachines/performMaintenance/action'
  'Microsoft.Compute/virtualMachines/read'
  'Microsoft.Compute/virtualMachines/instanceView/read'
  'Microsoft.Compute/virtualMachines/performMaintenance/action'
  'Microsoft.Compute/locations/operations/read'
  'Microsoft.DevTestLab/schedules/read'
  'Microsoft.Insights/autoscaleSettings/read'
  'Microsoft.Insights/eventtypes/values/read'
  'Microsoft.Maintenance/updates/read'
  'Microsoft.ResourceGraph/resources/read'
  'Microsoft.ResourceHealth/availabilityStatuses/read'
  'Microsoft.ResourceHealth/events/read'
  'Microsoft.ResourceHealth/impactedResources/read'
  'Microsoft.Resources/changes/read'
  'Microsoft.Resources/subscriptions/resourceGroups/read'
]

var watched = subscription().id

// Names of custom roles are unique in a tenant, hence the subscription in the name.
resource operator 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(watched, 'breakwater-operator')
  properties: {
    roleName: 'Breakwater Operator (${subscription().subscriptionId})'
    description: 'Reads scale sets and planned maintenance; starts planned maintenance on single instances and suspends automatic repairs meanwhile.'
    type: 'CustomRole'
    assignableScopes: [watched]
    permissions: [
      {
        actions: actions
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(watched, principalId, operator.id)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: operator.id
  }
}
