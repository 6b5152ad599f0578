"""The refusals and failures that services and workers raise; how they look is the affair of pages and the API."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext

from panel.core.sizes import size

_NOT_UNIQUE = {"unique", "unique_together", "unique_for_date"}


class DomainError(Exception):
    """A refusal: stable `code`, `message` naming rule and remedy, the `field` it concerns, values in `params`."""

    status = 400

    def __init__(
        self,
        code: str,
        message: str,
        field: str | None = None,
        params: Mapping[str, Any] | None = None,
        *,
        errors: Mapping[str, list[str]] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.params = dict(params or {})
        self.errors = dict(errors) if errors is not None else {field: [message]} if field else {}


class Invalid(DomainError):
    """A value breaks a rule (HTTP 400)."""


class Forbidden(DomainError):
    """The object is visible, the action is not allowed (HTTP 403)."""

    status = 403
    USUAL = "You are not allowed to do this."

    def __init__(self, message: str = USUAL, *, code: str = "forbidden") -> None:
        super().__init__(code, message)

    @property
    def reason(self) -> str:
        """Why, in the words of who refused; "" when it is the usual: the role does not allow it."""
        return "" if self.message == self.USUAL else self.message


class NotFound(DomainError):
    """No such object for this actor, whether or not it exists for others (HTTP 404)."""

    status = 404

    def __init__(self, message: str = "Not found.", *, code: str = "not_found") -> None:
        super().__init__(code, message)


class Conflict(DomainError):
    """What is asked collides with what is there (HTTP 409); the message never tells who owns the other."""

    status = 409

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        params: Mapping[str, Any] | None = None,
        code: str = "conflict",
        errors: Mapping[str, list[str]] | None = None,
    ) -> None:
        super().__init__(code, message, field, params, errors=errors)


class Stale(DomainError):
    """The object has changed since the caller read it (HTTP 412)."""

    status = 412

    def __init__(self, message: str, *, code: str = "stale") -> None:
        super().__init__(code, message)


class LimitReached(DomainError):
    """A counter is used up (HTTP 409): `rule` is the resource, `level` whose limit it is, `used` and `limit` its state,
    `wanted` how many more were asked for (None: any number), `remedy` what would allow it.

    `name` is the resource in the reader's language; what ends in `_bytes` is written as a size.
    """

    status = 409

    def __init__(
        self,
        *,
        rule: str,
        level: str,
        used: int,
        limit: int,
        wanted: int | None = 1,
        name: str = "",
        remedy: str = "",
        field: str | None = None,
    ) -> None:
        write: Callable[[int], str] = size if rule.endswith("_bytes") else str
        values = {"name": name or rule.replace("_", " "), "level": level, "used": write(used), "limit": write(limit)}
        if wanted is None:
            message = gettext(
                "The limit of %(name)s at %(level)s does not allow an unlimited amount: %(used)s of %(limit)s used."
            )
        elif wanted > 1 and used < limit:
            values["wanted"] = write(wanted)
            message = gettext(
                "The limit of %(name)s at %(level)s leaves too little: %(used)s of %(limit)s used, %(wanted)s wanted."
            )
        else:
            message = gettext("The limit of %(name)s at %(level)s is reached: %(used)s of %(limit)s used.")
        params = {"rule": rule, "level": level, "used": used, "limit": limit, "wanted": wanted, "remedy": remedy}
        super().__init__("limit_reached", f"{message % values} {remedy}".strip(), field, params)
        self.rule, self.level, self.used, self.limit, self.remedy = rule, level, used, limit, remedy


class Held(DomainError):
    """The change is dangerous and waits for a confirmation (HTTP 409)."""

    status = 409

    def __init__(self, message: str, *, params: Mapping[str, Any] | None = None, code: str = "held") -> None:
        super().__init__(code, message, None, params)


@contextmanager
def integrity_as_conflict(message: str = "This is already in use.", field: str | None = None) -> Iterator[None]:
    """Turn a broken database constraint inside the block into a `Conflict` that tells nothing about the other row.

    The block runs in a savepoint, so that the surrounding transaction stays usable.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise Conflict(message, field=field) from error


def clean_or_invalid(instance: models.Model, exclude: list[str] | None = None) -> None:
    """Check fields, `clean()` and constraints of `instance`, which takes on the fields' normal forms.

    Raises `Invalid` with all messages by field, or `Conflict` when a uniqueness constraint is broken. Constraints are
    checked among the rows in scope only; the database checks them among all, see `integrity_as_conflict`.
    """
    try:
        instance.full_clean(exclude=exclude, validate_constraints=False)
    except ValidationError as error:
        raise from_validation(error) from error
    for model, constraints in instance.get_constraints():
        for constraint in constraints:
            try:
                constraint.validate(model, instance, exclude=set(exclude or ()))  # type: ignore[attr-defined]
            except ValidationError as error:
                message = error.messages[0]
                if isinstance(constraint, models.UniqueConstraint):
                    raise Conflict(message, field=_last_field(constraint)) from error
                raise Invalid(constraint.name, message) from error


def insert(*rows: models.Model, taken: str, field: str | None = None) -> None:
    """Check the fields of new rows of one model, which take on their normal forms, and write them in one statement.

    Raises `Invalid` with all messages by field, or `Conflict(taken, field)`: uniqueness, references and constraints
    are left to the database, which checks them among all rows, so that nothing is asked before it is written.
    """
    for row in rows:
        known = [part for part in row._meta.concrete_fields if part.is_relation]
        try:
            row.clean_fields(exclude={part.name for part in known if getattr(row, part.attname) is not None})
            row.clean()
        except ValidationError as error:
            raise from_validation(error) from error
    with integrity_as_conflict(taken, field=field):
        type(rows[0])._base_manager.bulk_create(rows)


def from_validation(error: ValidationError) -> DomainError:
    """Return the refusal that says what a Django `ValidationError` says."""
    by_field = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
    errors = {_name(field): [text for item in items for text in item.messages] for field, items in by_field.items()}
    codes = [item.code or "invalid" for items in by_field.values() for item in items]
    field = next((_name(field) for field in by_field if field != NON_FIELD_ERRORS), None)
    message = next(iter(errors.values()))[0]
    if all(code in _NOT_UNIQUE for code in codes):
        return Conflict(message, field=field, errors=errors)
    code = next(code for code in codes if code not in _NOT_UNIQUE)
    return Invalid(code, message, field, errors=errors)


def _name(field: str) -> str:
    return "non_field" if field == NON_FIELD_ERRORS else field


def _last_field(constraint: models.UniqueConstraint) -> str | None:
    """Return the field that people would change: the last that the constraint speaks of, as in (organization, name)."""
    if constraint.fields:
        return constraint.fields[-1]
    names = [name for expression in constraint.expressions for name in _named(expression)]
    return names[-1] if names else None


def _named(expression: Any) -> list[str]:
    """Return the names of the fields that an expression speaks of, in order."""
    if isinstance(expression, models.F):
        return [expression.name]
    return [name for part in expression.get_source_expressions() if part is not None for name in _named(part)]
