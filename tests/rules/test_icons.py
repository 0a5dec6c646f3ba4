"""Every icon that code names is in the sprite: a page must not break on a word."""

import pytest

from relance.activity.kinds import activity_kinds
from relance.web.icons import icon_names


@pytest.mark.parametrize("kind", activity_kinds().values(), ids=lambda kind: kind.name)
def test_the_icon_of_each_kind_of_activity_is_in_the_sprite(kind):
    assert kind.icon in icon_names()
