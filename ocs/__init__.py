"""Reports an Ontario cannabis retailer's inventory to the OCS Data Platform."""
