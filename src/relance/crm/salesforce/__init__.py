"""Salesforce behind the CRM dialect: REST, Bulk 2.0 and the one SOAP call that has no other door. A Veeva org is a profile of it."""
