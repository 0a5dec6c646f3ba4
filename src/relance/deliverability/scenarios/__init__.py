"""Scenarios: people, what they said, what happened, and what the gate must answer. Written and read by lawyers, run without a database."""
