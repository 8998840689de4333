"""How commands read their options: every mistake in them is told at once, as those of the settings are."""

from typing import Any

import click


class Command(click.Command):
    """A command that tells every mistake in its options and arguments, not only the first."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read them as click does; raises one UsageError with a line for each mistake."""
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as first:
            faults = self._faults(ctx, given)
            if len(faults) < 2:
                raise
            raise click.UsageError("\n".join(("", *faults)), ctx) from first

    def _faults(self, ctx: click.Context, given: list[str]) -> list[str]:
        """A line for each: options there are none of by that name, then values that won't do."""
        unknown: dict[str, click.UsageError] = {}
        while True:
            parser = self.make_parser(ctx)
            try:
                values, rest, _order = parser.parse_args([each for each in given if each.split("=")[0] not in unknown])
            except click.NoSuchOption as fault:
                unknown[fault.option_name] = fault
            except click.UsageError as fault:
                # An option without its value: what stands behind it can't be told apart.
                return [each.format_message() for each in (*unknown.values(), fault)]
            else:
                return [each.format_message() for each in (*unknown.values(), *self._wrong(ctx, values, rest))]

    def _wrong(self, ctx: click.Context, values: dict[str, Any], rest: list[str]) -> list[click.UsageError]:
        wrong: list[click.UsageError] = []
        for param in self.get_params(ctx):
            is_asked_for = getattr(param, "prompt", None) is not None and param.name not in values
            if param.is_eager or is_asked_for:
                continue
            try:
                _value, rest = param.handle_parse_result(ctx, values, rest)
            except click.UsageError as fault:
                wrong.append(fault)
        return wrong


class Group(click.Group):
    """A group of such commands."""

    command_class = Command
    group_class = type
