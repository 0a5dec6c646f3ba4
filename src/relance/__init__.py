"""Relance: marketing automation, two-way CRM sync and sales cadences that answer why."""

__version__ = "0.1.0"
