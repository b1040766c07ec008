// One identity for storage, telemetry, secrets and maintenance. User-assigned, so that its roles exist before the
// app starts and outlive the app when somebody recreates it.
param name string
param location string
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: name
  location: location
  tags: tags
}

output id string = identity.id
output clientId string = identity.properties.clientId
output principalId string = identity.properties.principalId
