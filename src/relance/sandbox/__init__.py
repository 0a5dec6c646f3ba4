"""A pretend CRM to try things on: a Salesforce org stood up from a Salesforce DX source tree, with its own small store."""
