"""The house's own rules, read from every module's syntax tree: who commits, who asks the time, how long a file is."""

import ast
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "concierge"
LONGEST = 400
EDGES = {
    "views",
    "stock_views",
    "offer_views",
    "wish_views",
    "promise_views",
    "plan_views",
    "draft_views",
    "place_views",
    "absence_views",
    "rearranging_views",
    "webhooks",
    "jobs",
    "signing_in",
    "staff_mail",
    "release",
    "delivering",
    "talking",
    "working",
    "heartbeat",
    "restoring",
    "cli",
    "staffing",
    "checking",
    "app",
    "running",
    "starting",
    "schema",
    "db",
}
EDGE_FOLDERS = {"sources", "demo", "web", "public", "v1"}
PARTS = {
    "accounts", "customers", "catalogue", "mailing", "templating", "conversations", "drafts", "inbound", "demo",
    "wishes", "followups", "reports", "operations",
}  # fmt: skip
# What one part may import of another: its reads, its writes, its tables.
OPEN = {"commands", "queries", "models"}
# Commands, queries and models that stand in files of their own, for there are many.
ALSO_OPEN = {
    "catalogue.ledger",
    "catalogue.meant",
    "conversations.wording",
    "catalogue.naming",
    "catalogue.pictures",
    "catalogue.stock",
    "catalogue.stock_models",
    "catalogue.returns",
    "catalogue.purchases",
    "mailing.outbox",
    "mailing.reporting",
    "mailing.reports",
    "conversations.brought",
    "conversations.carried",
    "conversations.history",
    "wishes.answers",
    "wishes.offer_models",
    "wishes.offering",
    "wishes.wording",
    "wishes.words",
    "customers.words",
    "customers.zones",
    "drafts.composing",
    "drafts.pictures",
    "drafts.desk",
    "drafts.filling",
    "drafts.forms",
    "drafts.letter",
    "drafts.releasing",
}
NETWORK = {
    "socket",
    "smtplib",
    "imaplib",
    "imapclient",
    "urllib3",
    "http",
    "requests",
    "subprocess",
    "sendgrid",
    "aiosmtpd",
}
PAGES = {"flask", "flask_wtf", "flask_security", "flask_limiter"}
STORAGE = {"sqlalchemy", "sqlite3", "psycopg", "fsspec"}
FORBIDDEN_NAMES = re.compile(r"(^|_)(utils?|helpers?|managers?|handlers?)($|_)|(Utils?|Helpers?|Manager|Handler)$")
# Names other libraries give, which we have to use.
GIVEN_NAMES = {"add_error_handler", "register_error_handler", "errorhandler"}


@dataclass(frozen=True)
class Module:
    """One of our Python files."""

    path: Path

    @property
    def name(self) -> str:
        """Its dotted name without `concierge.`, e.g. `wishes.models`."""
        return ".".join(self.path.relative_to(PACKAGE).with_suffix("").parts)

    @property
    def part(self) -> str:
        """The part it belongs to: the folder, or the module itself."""
        return self.path.relative_to(PACKAGE).parts[0].removesuffix(".py")

    @property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return _parse(self.path)

    def imports(self) -> Iterator[str]:
        """The dotted names of everything it imports, also inside functions; not those for type checkers only."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)

    def defined(self) -> Iterator[str]:
        """The names of its functions and classes."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield node.name

    def calls(self, method: str) -> Iterator[int]:
        """The lines on which `.method(` is called."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method:
                yield node.lineno


@cache
def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


MODULES = [Module(path) for path in sorted(PACKAGE.rglob("*.py"))]
KINDS = {"models", "commands", "queries", "forms", "views", "webhooks", "jobs"}


def _named(*kinds: str) -> list[Module]:
    return [module for module in MODULES if module.path.stem in kinds or module.path.parent.name in kinds]


def _tracked() -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / line for line in listed.splitlines() if (ROOT / line).is_file()]


def test_no_module_is_longer_than_anybody_reads():
    everything = [*MODULES, *(Module(path) for path in (ROOT / "tests").rglob("*.py"))]
    long = {str(each.path.relative_to(ROOT)): len(each.path.read_text().splitlines()) for each in everything}
    assert not {name: lines for name, lines in long.items() if lines > LONGEST}


def test_every_module_opens_with_one_sentence_on_what_it_is_for():
    for module in MODULES:
        docstring = ast.get_docstring(module.tree) or ""
        assert docstring.split("\n\n")[0].rstrip().endswith("."), module.name


def test_only_edges_commit():
    for module in MODULES:
        if module.path.stem in EDGES or EDGE_FOLDERS & set(module.path.parts):
            continue
        assert not list(module.calls("commit")), f"{module.name} commits; leave that to the view or the job"


def test_only_edges_read_the_clock():
    for module in _named("models", "commands", "queries", "forms"):
        assert "concierge.clock" not in {name.removesuffix(".now") for name in module.imports()}, module.name


def test_nothing_is_named_after_nothing():
    for module in MODULES:
        names = {module.path.stem, *module.defined()} - GIVEN_NAMES
        assert not {name for name in names if FORBIDDEN_NAMES.search(name)}, module.name


@pytest.mark.parametrize(
    ("kinds", "forbidden"),
    [
        (("commands", "queries"), NETWORK | {"flask", "flask_wtf"}),
        (("models",), NETWORK | {"flask", "flask_wtf"}),
        (("forms",), NETWORK | {"sqlalchemy"}),
    ],
)
def test_each_kind_of_file_keeps_to_its_own_work(kinds: tuple[str, ...], forbidden: set[str]):
    for module in _named(*kinds):
        met = {name.partition(".")[0] for name in module.imports()} & forbidden
        assert not met, f"{module.name} imports {met}"


def test_rules_know_neither_database_nor_pages_nor_network():
    rules = [module for module in MODULES if module.part in PARTS and _is_rule(module)]
    assert rules
    for module in rules:
        met = {name.partition(".")[0] for name in module.imports()} & (NETWORK | PAGES | STORAGE)
        assert not met, f"{module.name} is a rule and imports {met}"
        assert not {name for name in module.imports() if name.startswith(("concierge.db", "concierge.extensions"))}, (
            module.name
        )


RULES = {
    "templating.merge_fields", "templating.check", "templating.clauses", "templating.marks",
    "templating.rendering", "templating.two_windows", "mailing.mail", "mailing.backoff",
    "mailing.signatures", "mailing.caps", "mailing.reasons", "mailing.returns", "inbound.authenticity",
    "mailing.letters", "conversations.threads", "conversations.quoting", "conversations.quote_words",
    "conversations.standings", "conversations.likenesses",
    "drafts.gate", "drafts.body", "inbound.parsing", "inbound.measures",
    "inbound.bounces", "inbound.bounce_words", "inbound.kinds", "inbound.kind_words", "inbound.effects",
    "operations.breaches", "conversations.sameness",
    "inbound.tnef", "inbound.rtf", "inbound.uuencode", "inbound.invitations", "conversations.numbers",
    "catalogue.cards", "mailing.sheets", "catalogue.levels", "catalogue.settling",
    "catalogue.sizes", "catalogue.sheets", "catalogue.goods", "catalogue.prices",
    "catalogue.product_sheets", "catalogue.spreadsheets", "catalogue.foreign", "catalogue.shopify",
    "catalogue.woocommerce",
    "wishes.sentences", "wishes.first_mails", "wishes.kinds", "wishes.mentions", "wishes.proposing", "wishes.asking",
    "wishes.radar", "wishes.prices",
    "wishes.waves", "wishes.clockwork", "wishes.simulation", "wishes.voices", "wishes.similar",
    "wishes.replies", "wishes.reply_words", "wishes.uniting",
    "drafts.wording", "conversations.looks", "conversations.snoozing",
    "followups.schedule", "followups.moments", "followups.moment_words", "followups.silence",
    "followups.conditions", "followups.calendar",
    "accounts.absences",
    "customers.courtesy", "customers.feasts", "customers.offsets",
    "followups.promises", "followups.plans", "followups.river",
    "reports.chances", "reports.quantiles", "reports.reorder", "reports.plots", "reports.tables", "reports.figures",
    "reports.summing", "operations.state", "operations.timetable",
}  # fmt: skip


def _is_rule(module: Module) -> bool:
    return module.name in RULES


def test_a_part_imports_only_what_another_part_offers():
    met = []
    for module in MODULES:
        if module.part not in PARTS - {"demo"}:
            continue
        for name in module.imports():
            _, part, *rest = [*name.split("."), "", ""]
            if not name.startswith("concierge.") or part not in PARTS - {module.part} or rest[0] in OPEN:
                continue
            if f"{part}.{rest[0]}" not in RULES | ALSO_OPEN:
                met.append(f"{module.name} imports {name}")
    assert not met


def test_every_part_with_pages_has_its_templates_under_its_own_name():
    for module in _named("views"):
        text = module.path.read_text(encoding="utf-8")
        for template in re.findall(r'render\(\s*"([^"]+)"', text):
            assert (ROOT / "templates" / template).is_file(), f"{module.name} shows {template}"
            assert template.partition("/")[0] == module.part, f"{module.name} shows {template}"


def test_a_test_is_named_after_what_it_tests():
    for path in (ROOT / "tests").glob("*/test_*.py"):
        if path.parent.name in PARTS:
            assert (PACKAGE / path.parent.name).is_dir()


def test_no_file_names_a_package_registry_or_a_machine_of_ours():
    # Put together here, so that this file does not name them either.
    hosts = [".".join(each) for each in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"))]
    found = [
        f"{path.relative_to(ROOT)}: {host}"
        for path in _tracked()
        for host in hosts
        if path.suffix not in {".jpg", ".png", ".woff2", ".ico"} and host.encode() in path.read_bytes()
    ]
    assert not found


def test_the_rules_can_be_broken(tmp_path: Path):
    """The check itself: a module that breaks them is seen."""
    bad = tmp_path / "commands.py"
    bad.write_text("import flask\nfrom concierge import clock\ndef do_helper(session):\n    session.commit()\n")
    module = Module(bad)
    assert list(module.calls("commit")) == [4]
    assert "concierge.clock" in set(module.imports())
    assert any(FORBIDDEN_NAMES.search(name) for name in module.defined())


def test_no_question_is_kept_that_only_tests_ask():
    """A public function of a `queries` module that nothing else in the house names is dead."""
    words = Counter(word for module in MODULES for word in re.findall(r"\w+", module.path.read_text(encoding="utf-8")))
    offered = [name for module in _named("queries") for name in module.defined() if not name.startswith("_")]
    assert offered
    assert [name for name in offered if words[name] < 2] == []


def test_no_error_and_no_row_is_kept_that_nobody_names():
    """A class of a model that is named only where it stands is dead, whatever its tests say."""
    words = Counter(word for module in MODULES for word in re.findall(r"\w+", module.path.read_text(encoding="utf-8")))
    offered = [
        node.name
        for module in MODULES
        if module.path.stem.endswith("models")
        for node in ast.parse(module.path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    ]
    assert offered
    assert [name for name in offered if words[name] < 2] == []


def test_every_threat_a_test_or_a_comment_names_is_in_the_list_and_the_other_way_round():
    files = [*(ROOT / "tests").rglob("*.py"), *PACKAGE.rglob("*.py")]
    named = {number for path in files for number in re.findall(r"\b[TF]\d\d\b", path.read_text(encoding="utf-8"))}
    listed = re.findall(r"^\| ([TF]\d\d) \|", (ROOT / "docs/threats.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(named)
