"""A stand-in for Azure Key Vault and for the managed identity endpoint. It is NOT a vault: secrets lie in plain memory.

`python -m devstack.vault` serves, to the real azure-keyvault-secrets and azure-identity libraries:

- over https with a certificate of its own making: secrets and their versions, as in the Key Vault REST API
  (https://learn.microsoft.com/rest/api/keyvault/secrets); soft delete is on, recovery and backup are left out;
- over http: the App Service managed identity endpoint, 2019-08-01, whose tokens the vault accepts, and `/_control`,
  the door by which a test orders faults and counts reads.

Differs from the real one on purpose: lists come in pages of two, so that a reader who forgets the next page shows up;
tokens are no JWTs, so that nobody reads them.
"""
