"""The wiring: settings, addresses, worker. Nothing here decides anything."""
