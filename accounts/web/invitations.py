"""Pages of invitations: invite, send again, take back; and the page behind an invitation's link, open to strangers."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.generic.base import View

from accounts.models import Invitation, User
from accounts.selectors import invitations as selectors
from accounts.selectors import organizations
from accounts.services import invitations as service
from accounts.web import forms, tables
from accounts.web.places import home_of
from panel.core.errors import DomainError, NotFound
from panel.core.web import Action, ActionPage, Empty, FormPage, ListPage, refuse


class InvitePage(FormPage):
    """Invites a person to an organization."""

    action = "membership.add"
    title = gettext_lazy("Invite a person")
    form_class = forms.MemberForm
    submit_label = gettext_lazy("Send the invitation")
    intro = gettext_lazy("They get a mail with a link, good once and for seven days, by which they join.")

    def rows(self) -> QuerySet[Any] | None:
        return organizations.listed()

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [home_of(self.object, self.actor.organization_id)]

    def act(self, data: dict[str, Any]) -> str:
        service.create(actor=self.actor, organization=self.object, **data)
        messages.success(self.request, _("An invitation is on its way."))
        return reverse("accounts:invitation_list", args=[self.object.pk])


class InvitationListPage(ListPage):
    """Who was invited to an organization and has not come yet."""

    action = "membership.view"
    title = gettext_lazy("Invitations")
    table_class = tables.InvitationTable
    export_name = "invitations"

    def rows(self) -> QuerySet[Any] | None:
        return organizations.listed()

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [home_of(self.object, self.actor.organization_id)]

    def list_rows(self) -> QuerySet[Invitation]:
        return selectors.of_organization(self.object)

    def actions(self) -> list[Action]:
        if not self.may("membership.add"):
            return []
        return [Action(_("Invite a person"), reverse("accounts:invite", args=[self.object.pk]), "user-plus", "primary")]

    def empty(self) -> Empty:
        return Empty("mail", _("Nobody is invited"), _("Whoever has accepted is in the list of people."))


class _InvitationPage(ActionPage):
    """A button for one invitation."""

    action = "membership.add"

    def rows(self) -> QuerySet[Any] | None:
        return selectors.listed()

    def breadcrumbs(self) -> list[tuple[str, str]]:
        home = home_of(self.object.organization, self.actor.organization_id)
        return [home, (_("Invitations"), reverse("accounts:invitation_list", args=[self.object.organization_id]))]


class ResendPage(_InvitationPage):
    """Sends an invitation again."""

    title = gettext_lazy("Send the invitation again")
    submit_label = gettext_lazy("Send again")

    def get_question(self) -> str:
        return _("Send %(email)s a new link? The one before stops working.") % {"email": self.object.email}

    def act(self) -> str:
        service.resend(actor=self.actor, invitation=self.object)
        messages.success(self.request, _("An invitation is on its way."))
        return self.cancel_url()


class RevokePage(_InvitationPage):
    """Takes an invitation back."""

    title = gettext_lazy("Take the invitation back")
    submit_label = gettext_lazy("Take back")
    danger = True

    def get_question(self) -> str:
        return _("Take back the invitation of %(email)s? Its link stops working at once.") % {
            "email": self.object.email
        }

    def act(self) -> str:
        service.revoke(actor=self.actor, invitation=self.object)
        return self.cancel_url()


@method_decorator(never_cache, name="dispatch")
class AcceptPage(View):
    """What the link of an invitation opens: for a stranger name and password, for somebody registered one button.

    A link that opens nothing gets the same page whatever the reason, and nothing happens by opening one.
    """

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest, token: str) -> HttpResponseBase:
        """Show what the invitation is to, and what is asked for."""
        found = selectors.by_token(token, getattr(request, "brand", None))
        if found is None:
            return self._dead(request)
        return self._show(request, found, forms.AcceptForm(initial={"name": found.name}))

    def post(self, request: HttpRequest, token: str) -> HttpResponseBase:
        """Join; a stranger is signed in with the password just chosen."""
        found = selectors.by_token(token, getattr(request, "brand", None))
        if found is None:
            return self._dead(request)
        known = selectors.known_person(found) is not None
        form = forms.AcceptForm(request.POST)
        if not known and not form.is_valid():
            return self._show(request, found, form, status=400)
        user = request.user if isinstance(request.user, User) else None
        values = {} if known else {"name": form.cleaned_data["name"], "password": form.cleaned_data["password"]}
        try:
            joined = service.accept(
                token=token,
                brand=request.brand,  # type: ignore[attr-defined]
                user=user,
                address=get_adapter().get_client_ip(request),
                **values,
            )
        except NotFound:
            return self._dead(request)
        except DomainError as error:
            refuse(form, error)
            return self._show(request, found, form, status=error.status)
        if known:
            messages.success(request, _("You have joined %(name)s.") % {"name": found.organization.name})
            return redirect("/")
        # Whoever has just chosen a password need not prove it again for what comes next.
        record_authentication(request, joined, method="password", email=joined.email)
        answer: HttpResponseBase = perform_login(request, joined, email_verification="none")
        return answer

    @staticmethod
    def _show(request: HttpRequest, found: Invitation, form: forms.AcceptForm, status: int = 200) -> HttpResponseBase:
        known = selectors.known_person(found)
        context = {
            "invitation": found,
            "form": form,
            "known": known is not None,
            "is_me": known is not None and request.user.pk == known.pk,
            "signed_in": request.user.is_authenticated,
            "sign_in_url": f"{reverse('account_login')}?next={request.path}",
        }
        return render(request, "accounts/invitation.html", context, status=status)

    @staticmethod
    def _dead(request: HttpRequest) -> HttpResponseBase:
        return render(request, "accounts/invitation_dead.html", status=404)
