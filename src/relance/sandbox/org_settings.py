"""What an administrator of the org may set: sessions, tokens, allowance, spellings. Kept with the org."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace

from relance.sandbox.store import Store

FACT = "settings"


class SettingMissaid(ValueError):
    """A setting that does not exist, or a value it does not take."""


@dataclass(frozen=True, slots=True)
class Settings:
    session_minutes: int = 120  # without use; the platform knows 15 minutes to 24 hours
    rotate_refresh_tokens: bool = False
    pkce_required: bool = True
    daily_requests: int = 100_000
    enforce_allowance: bool = False  # refuse what goes beyond the daily requests
    duplicate_key: str = "duplicateResut"  # the misspelling is the real CRM's; some versions may have mended it
    recycle_days: int = 15


class OrgSettings:
    """The settings of one org, changed under way."""

    def __init__(self, store: Store) -> None:
        self.store = store
        kept = json.loads(store.fact(FACT) or "{}")
        known = {each.name for each in fields(Settings)}
        self.now = Settings(**{name: value for name, value in kept.items() if name in known})

    def change(self, asked: Mapping[str, object]) -> Settings:
        types = {each.name: type(getattr(self.now, each.name)) for each in fields(Settings)}
        for name, value in asked.items():
            if name not in types:
                raise SettingMissaid(f"There is no setting {name}; there are: {', '.join(sorted(types))}.")
            if type(value) is not types[name]:
                raise SettingMissaid(f"{name} is {types[name].__name__}, not {json.dumps(value)}.")
        changed = replace(self.now, **asked)  # type: ignore[arg-type]
        self.store.keep_fact(FACT, json.dumps(asdict(changed)))
        self.now = changed
        return changed

    def as_json(self) -> dict[str, object]:
        return asdict(self.now)
