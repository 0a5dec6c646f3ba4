"""A refusal is not final: it ends when something changed, the CRM's own description included."""

import pytest

from relance.crm.errors import release_refused
from relance.crm.models import QueuedPush
from tests.rooms.crm_cast import NOW, connect

pytestmark = pytest.mark.django_db


def test_what_was_refused_on_an_object_whose_description_changed_is_sent_again_and_nothing_else():
    connection = connect()
    lead, contact = (
        QueuedPush.objects.create(
            connection=connection,
            subject="person",
            subject_id=id,
            object=object,
            state="refused",
            payload_hash="x",
            queued_at=NOW,
            due_at=NOW,
        )
        for id, object in ((1, "Lead"), (2, "Contact"))
    )

    assert release_refused(connection, {"Lead"}, now=NOW) == 1

    lead.refresh_from_db()
    contact.refresh_from_db()
    assert (lead.state, lead.payload_hash) == ("waiting", "")
    assert contact.state == "refused"
