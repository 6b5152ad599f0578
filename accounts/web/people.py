"""Pages of people: one's own details, the team, API tokens."""

from datetime import timedelta
from typing import Any

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from accounts.models import ApiToken, Membership, User
from accounts.selectors import tokens as token_selectors
from accounts.selectors import users
from accounts.services import impersonations, memberships, tokens
from accounts.services import users as service
from accounts.web import forms, tables
from accounts.web.places import home_of
from panel.core.confirming import ConfirmPage
from panel.core.web import Action, ActionPage, Empty, FormPage, ListPage


class ProfilePage(FormPage):
    """One's own details, and the ways to password and second factor."""

    action = "profile.view"
    title = gettext_lazy("Your profile")
    form_class = forms.ProfileForm

    def find(self) -> User:
        return users.one(self.actor.user_id)

    def subject(self) -> None:
        return None

    def actions(self) -> list[Action]:
        if not self.may("profile.inspect"):
            return []
        return [Action(_("Sign-in and security"), reverse("accounts:sign_in"), "shield-lock")]

    def initial(self) -> dict[str, Any]:
        return {field: getattr(self.object, field) for field in service.CHANGEABLE}

    def act(self, data: dict[str, Any]) -> str:
        service.change(actor=self.actor, user=self.object, **data)
        messages.success(self.request, _("Saved."))
        return reverse("accounts:profile")


class MemberListPage(ListPage):
    """The people of one's own organization."""

    action = "membership.view"
    title = gettext_lazy("Team")
    table_class = tables.MemberTable
    export_name = "team"

    def list_rows(self) -> QuerySet[Membership]:
        return users.members(self.actor.path)

    def actions(self) -> list[Action]:
        found = []
        if self.may("impersonation.view"):
            found.append(Action(_("Impersonations"), reverse("accounts:impersonation_list"), "eye"))
        if self.may("sign_in_policy.change"):
            found.append(Action(_("Sign-in policy"), self._url("sign_in_policy"), "shield-lock"))
        found.append(Action(_("Invitations"), self._url("invitation_list"), "mail"))
        if self.may("membership.add"):
            found.append(Action(_("Invite a person"), self._url("invite"), "user-plus", "primary"))
        return found

    def _url(self, route: str) -> str:
        return reverse(f"accounts:{route}", args=[self.actor.organization_id])


class MemberChangePage(FormPage):
    """Gives a member another role."""

    action = "membership.view"
    acts = "membership.change"
    form_class = forms.RoleForm

    def rows(self) -> QuerySet[Any] | None:
        return users.memberships()

    def get_title(self) -> str:
        return str(self.object.user.name)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [home_of(self.object.organization, self.actor.organization_id)]

    def actions(self) -> list[Action]:
        pk, found = self.object.pk, []
        below = impersonations.can_be_acted_for(self.actor, self.object.organization)
        if below and self.may("impersonation.start"):
            url = reverse("accounts:impersonate", args=[pk])
            found.append(Action(_("Act as this person"), url, "user-circle"))
        mine = self.object.organization_id == self.actor.organization_id and self.object.user_id != self.actor.user_id
        if mine and self.actor.role == Membership.Role.OWNER and self.object.role != Membership.Role.OWNER:
            url = reverse("accounts:member_transfer", args=[pk])
            found.append(Action(_("Make owner in my place"), url, "key"))
        if self.may("membership.remove"):
            found.append(Action(_("Remove"), reverse("accounts:member_remove", args=[pk]), "trash", "danger"))
        return found

    def initial(self) -> dict[str, Any]:
        return {"role": self.object.role}

    def act(self, data: dict[str, Any]) -> str:
        memberships.change(actor=self.actor, membership=self.object, **data)
        return self.cancel_url()


class TransferPage(ConfirmPage):
    """Hands one's ownership over to another member."""

    action = "membership.change"
    title = gettext_lazy("Hand over the ownership")
    submit_label = gettext_lazy("Hand over")

    def rows(self) -> QuerySet[Any] | None:
        return users.memberships()

    def get_question(self) -> str:
        return _("Make %(name)s owner in your place?") % {"name": self.object.user.name}

    def consequences(self) -> list[str]:
        return [_("You stay as administrator, and can't take it back by yourself.")]

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [home_of(self.object.organization, self.actor.organization_id)]

    def must_type(self) -> str:
        return str(self.object.user.email)

    def act(self, data: dict[str, Any]) -> str:
        memberships.transfer(actor=self.actor, membership=self.object, **data)
        return self.cancel_url()


class MemberRemovePage(ActionPage):
    """Ends a membership."""

    action = "membership.remove"
    title = gettext_lazy("Remove from the team")
    submit_label = gettext_lazy("Remove")
    danger = True

    def rows(self) -> QuerySet[Any] | None:
        return users.memberships()

    def get_question(self) -> str:
        return _("Take away the access of %(email)s?") % {"email": self.object.user.email}

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [home_of(self.object.organization, self.actor.organization_id)]

    def act(self) -> str:
        memberships.remove(actor=self.actor, membership=self.object)
        return self.cancel_url()


class TokenListPage(ListPage):
    """API tokens of one's own organization."""

    action = "token.view"
    title = gettext_lazy("API tokens")
    table_class = tables.TokenTable
    export_name = "tokens"

    def list_rows(self) -> QuerySet[ApiToken]:
        return token_selectors.own(self.actor).filter(revoked_at__isnull=True)

    def actions(self) -> list[Action]:
        if not self.may("token.create"):
            return []
        return [Action(_("New token"), reverse("accounts:token_create"), "plus", "primary")]

    def empty(self) -> Empty:
        return Empty("key", _("No tokens yet"), _("A token lets a program do by API what you do here."))


@method_decorator([never_cache, reauthentication_required], name="get")
@method_decorator([never_cache, reauthentication_required], name="post")
class TokenCreatePage(FormPage):
    """Creates a token for somebody who signed in just now, and shows its text this once."""

    action = "token.create"
    title = gettext_lazy("New token")
    form_class = forms.TokenForm
    submit_label = gettext_lazy("Create the token")

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("API tokens"), reverse("accounts:token_list"))]

    def done(self, data: dict[str, Any]) -> HttpResponseBase:
        days = data["days"]
        token, text = tokens.create(
            actor=self.actor,
            name=data["name"],
            scopes=data["scopes"],
            expires_at=timezone.now() + timedelta(days=days) if days else None,
        )
        self.template_name = "accounts/token_created.html"
        return self.render_to_response(self.get_context_data(token=token, text=text))


class TokenRevokePage(ConfirmPage):
    """Ends a token."""

    action = "token.revoke"
    title = gettext_lazy("Revoke the token")
    submit_label = gettext_lazy("Revoke the token")

    def rows(self) -> QuerySet[Any] | None:
        return token_selectors.own(self.actor)

    def get_question(self) -> str:
        return _("Revoke the token %(name)s? Programs that use it are shut out at once.") % {"name": self.object.name}

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("API tokens"), reverse("accounts:token_list"))]

    def consequences(self) -> list[str]:
        return [_("It never works again. A new one can be made; programs have to be given it.")]

    def must_type(self) -> str:
        return str(self.object.name)

    def act(self, data: dict[str, Any]) -> str:
        tokens.revoke(actor=self.actor, token=self.object, **data)
        return reverse("accounts:token_list")
