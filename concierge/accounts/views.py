"""Pages about staff and mailboxes: one's own profile, the colleagues, the house's addresses."""

import secrets
from io import BytesIO

from flask import Blueprint, Flask, flash, redirect, request, send_file, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from concierge import clock
from concierge.accounts import absence_views, commands, photos, queries, signing_in
from concierge.accounts.forms import ColleagueForm, MailboxForm, ProfileForm, RoleForm
from concierge.accounts.hours import write_hours
from concierge.accounts.models import AddressTaken, Role
from concierge.accounts.passwords import hash_password
from concierge.accounts.queries import current_editor
from concierge.config import LANGUAGES
from concierge.errors import NotFound
from concierge.extensions import db, house_blobs
from concierge.web.rendering import render
from concierge.web.security import public, roles_accepted

bp = Blueprint("accounts", __name__)


def init_app(app: Flask) -> None:
    """Register the pages, and the lock-out before Flask-Security's view."""
    app.register_blueprint(bp)
    absence_views.init_app(app)
    signing_in.init_app(app)


@bp.get("/profile")
def profile() -> ResponseReturnValue:
    """One's own name, face, sign-offs and working hours."""
    editor = current_editor()
    form = ProfileForm(obj=editor)
    closing = {each.language: each.text for each in editor.sign_offs}
    for language in LANGUAGES:
        form[f"sign_off_{language}"].data = closing.get(language, "")
    for day in range(7):
        form[f"hours_{day}"].data = write_hours(editor.working_hours.get(str(day), []))
    return render("accounts/profile.html", form=form, sheet=absence_views.sheet_of(editor))


@bp.post("/profile")
def change_profile() -> ResponseReturnValue:
    """Keep what she changed about herself."""
    form, editor, now = ProfileForm(), current_editor(), clock.now()
    if not form.validate():
        return render("accounts/profile.html", form=form, sheet=absence_views.sheet_of(editor)), 422
    changes = {field: form[field].data for field in ("name", "title", "language", "timezone")}
    if form.photo.data:
        changes["photo_key"] = house_blobs().put(photos.square(form.photo.data.read()))
    commands.change_editor(db.session, editor, by=editor, now=now, working_hours=form.working_hours(), **changes)
    commands.set_sign_offs(db.session, editor, form.sign_offs(), by=editor, now=now)
    db.session.commit()
    flash(_("Your profile is kept."))
    return redirect(url_for("accounts.profile"), 303)


@bp.get("/editors/<int:editor_id>/photo")
@public
def photo(editor_id: int) -> ResponseReturnValue:
    """An editor's face; it stands under letters, so anybody may see it."""
    editor = queries.get_editor(db.session, editor_id)
    if editor.photo_key is None:
        raise NotFound
    response = send_file(
        BytesIO(house_blobs().get(editor.photo_key)), "image/jpeg", etag=editor.photo_key, max_age=86400
    )
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response


@bp.post("/language")
@public
def change_language() -> ResponseReturnValue:
    """Another language for these pages: for her profile, or for this browser before sign-in."""
    chosen = request.form.get("language", "")
    if chosen in LANGUAGES:
        session["language"] = chosen
        if current_user.is_authenticated:
            commands.change_editor(db.session, current_editor(), by=current_editor(), now=clock.now(), language=chosen)
            db.session.commit()
    return redirect(_here(), 303)


def _here() -> str:
    """The page the form stood on, if it is one of ours."""
    page = request.form.get("page", "/")
    return page if page.startswith("/") and not page.startswith(("//", "/\\")) else "/"


@bp.get("/staff")
@roles_accepted("admin")
def staff() -> ResponseReturnValue:
    """Everybody who works here."""
    return _staff_page(ColleagueForm(formdata=None), MailboxForm(formdata=None))


def _staff_page(colleague: ColleagueForm, mailbox: MailboxForm) -> str:
    editors = queries.list_editors(db.session)
    return render(
        "accounts/staff.html",
        editors=editors,
        away=queries.list_away(db.session, editors, now=clock.now()),
        mailboxes=queries.list_mailboxes(db.session),
        colleague=colleague,
        mailbox=mailbox,
        role_choices=RoleForm(formdata=None).role.choices,
    )


@bp.post("/staff")
@roles_accepted("admin")
def add_editor() -> ResponseReturnValue:
    """A new colleague; she chooses her password by mail."""
    form = ColleagueForm()
    if form.validate():
        try:
            _add_editor(form)
            return redirect(url_for("accounts.staff"), 303)
        except AddressTaken as taken:
            form.email.errors = [taken.sentence()]
    return _staff_page(form, MailboxForm(formdata=None)), 422


def _add_editor(form: ColleagueForm) -> None:
    commands.add_editor(
        db.session,
        email=form.email.data or "",
        name=form.name.data or "",
        title=form.title.data or "",
        role=Role(form.role.data),
        language=form.language.data,
        password_hash=hash_password(secrets.token_urlsafe(32)),  # nobody knows it; she chooses hers by mail
        by=current_editor(),
        now=clock.now(),
    )
    db.session.commit()
    flash(
        _("%(name)s is on the staff. She chooses her password under “Forgotten your password?”.", name=form.name.data)
    )


@bp.post("/staff/<int:editor_id>/role")
@roles_accepted("admin")
def change_role(editor_id: int) -> ResponseReturnValue:
    """Another role for a colleague."""
    form = RoleForm()
    if form.validate():
        editor = queries.get_editor(db.session, editor_id)
        commands.change_editor(db.session, editor, by=current_editor(), now=clock.now(), role=Role(form.role.data))
        db.session.commit()
    return redirect(url_for("accounts.staff"), 303)


@bp.post("/staff/<int:editor_id>/deactivate")
@roles_accepted("admin")
def deactivate(editor_id: int) -> ResponseReturnValue:
    """She can't sign in any more."""
    editor = queries.get_editor(db.session, editor_id)
    commands.deactivate_editor(db.session, editor, by=current_editor(), now=clock.now())
    db.session.commit()
    return redirect(url_for("accounts.staff"), 303)


@bp.post("/staff/<int:editor_id>/activate")
@roles_accepted("admin")
def activate(editor_id: int) -> ResponseReturnValue:
    """She can sign in again."""
    editor = queries.get_editor(db.session, editor_id)
    commands.activate_editor(db.session, editor, by=current_editor(), now=clock.now())
    db.session.commit()
    return redirect(url_for("accounts.staff"), 303)


@bp.post("/mailboxes")
@roles_accepted("admin")
def add_mailbox() -> ResponseReturnValue:
    """Open another address."""
    form = MailboxForm()
    if form.validate():
        try:
            commands.add_mailbox(
                db.session,
                address=form.address.data or "",
                brand=form.brand.data or "",
                language=form.language.data,
                by=current_editor(),
                now=clock.now(),
            )
            db.session.commit()
            return redirect(url_for("accounts.staff"), 303)
        except AddressTaken as taken:
            form.address.errors = [taken.sentence()]
    return _staff_page(ColleagueForm(formdata=None), form), 422


@bp.post("/mailboxes/<int:mailbox_id>/<any(open, close):verb>")
@roles_accepted("admin")
def set_mailbox_active(mailbox_id: int, verb: str) -> ResponseReturnValue:
    """Take mail in at this address, or refuse it from now on."""
    mailbox = queries.get_mailbox(db.session, mailbox_id)
    commands.change_mailbox(db.session, mailbox, by=current_editor(), now=clock.now(), active=verb == "open")
    db.session.commit()
    return redirect(url_for("accounts.staff"), 303)
