"""What each reason of this room says to people, and the remedy."""

from django.utils.translation import gettext_lazy as _

from relance.decisions.reasons import declare_reason
from relance.decisions.rules import Verdict

declare_reason("user.is_active", 1001, _("The user is active."))
declare_reason(
    "user.is_inactive_already",
    1002,
    _("The user is already deactivated."),
    _("Nothing needs doing. Reactivate the user if they are to sign in again."),
    Verdict.SKIP,
)
declare_reason(
    "user.is_no_administrator", 1003, _("The user is not an active administrator: others run the workspace.")
)
declare_reason("user.other_administrators_remain", 1004, _("Other active administrators remain: %(admins)s."))
declare_reason(
    "user.is_last_administrator",
    1005,
    _("This is the only active administrator: without one, nobody could manage the workspace any more."),
    _("Give another active user the role of administrator first, then try again."),
    Verdict.SKIP,
)
declare_reason("user.owns_nothing", 1006, _("The user looks after nobody: nothing has to change hands."))
declare_reason("user.hands_over", 1007, _("All that the user looks after goes to %(heir)s."))
declare_reason("user.leaves_unowned", 1008, _("All that the user looks after is left without an owner, as was asked."))
declare_reason(
    "user.must_hand_over",
    1009,
    _("The user still looks after people or companies, and nobody was named to take over."),
    _("Name who takes over, or choose to leave them without an owner."),
    Verdict.SKIP,
)
declare_reason("user.role_given", 1010, _("The role asked for: %(role)s."))
