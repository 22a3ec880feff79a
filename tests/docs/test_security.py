"""Each claim of ``docs/security.rst`` stands on a test that is really there."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = " ".join((ROOT / "docs/security.rst").read_text().split())

CLAIMS = {
    "Nobody uses them without a relay token.": (
        "security/test_attacks.py::test_every_route_but_the_public_ones_wants_a_credential",
    ),
    "not even where a careless upstream repeats it in an error": (
        "security/test_planted_secrets.py::test_no_secret_is_where_it_does_not_belong",
        "neutral/test_discretion.py::test_every_occurrence_is_hidden_and_nothing_else",
    ),
    "Renewed by one process at a time": (
        "providers/codex/test_renewal_on_a_relay.py"
        "::test_many_rejected_requests_over_two_workers_are_one_renewal",
    ),
    "a killed worker loses no renewed token": (
        "providers/codex/test_renewal_on_a_relay.py"
        "::test_workers_killed_while_the_issuer_answers_lose_nothing",
        "providers/codex/test_renewal.py::test_a_process_killed_at_any_point_loses_nothing",
    ),
    "Of a device's token only a digest is kept.": (
        "store/test_tokens.py::test_a_named_token_is_kept_as_a_digest_only",
    ),
    "A token never goes to an upstream.": (
        "security/test_headers_across.py::test_of_a_clients_headers_only_the_dialects_own_go_on",
    ),
    "in the traffic log if you turn bodies on; and nowhere else": (
        "security/test_planted_secrets.py::test_no_secret_is_where_it_does_not_belong",
    ),
    "Every file that the relay makes is 0600 and every folder 0700, whatever the umask.": (
        "security/test_permissions.py::test_everything_is_private",
        "store/test_private_file.py::test_every_missing_parent_is_private_too",
    ),
    "Locks, logs and uploads are never opened through links": (
        "store/test_traffic.py::test_a_link_or_pipe_in_place_of_the_file_is_not_written_to",
        "store/test_files.py::test_what_is_not_a_regular_file_is_never_opened",
        "store/test_private_file.py::test_nothing_is_opened_through_a_link",
        "server/test_lock.py::test_a_link_in_the_place_of_the_lock_is_refused",
        "store/test_slots.py::test_a_link_in_the_place_of_the_file_is_not_followed",
    ),
    "a data folder into which other accounts can write is refused": (
        "server/test_lock.py::test_a_directory_that_everybody_shares_is_refused",
        "server/test_lock.py::test_a_directory_of_another_account_is_refused_unless_it_is_roots",
    ),
    "at least 16 characters long": (
        "store/test_tokens.py::test_a_weak_token_is_refused_wherever_it_comes_from",
    ),
    "compared in constant time": (
        "store/test_tokens.py::test_every_known_token_is_compared_in_full_whatever_is_offered",
    ),
    "both hold from the next request on, without a restart": (
        "store/test_tokens.py::test_rotation_and_revocation_hold_at_once_in_another_instance",
    ),
    "no path, name or secret": (
        "security/test_browser.py::test_the_status_page_needs_no_script_and_shows_no_secret",
    ),
    "The eighth missing or wrong token within five minutes from one address blocks it for 15": (
        "web/test_lockout.py::test_eight_failures_then_blocked_with_the_time_to_wait",
    ),
    "over all workers and restarts, however many guesses come at once": (
        "security/test_attacks.py::test_guesses_in_parallel_get_eight_tries_over_all_workers",
        "security/test_attacks.py::test_a_block_outlasts_a_restart_and_ends_when_the_owner_says_so",
    ),
    "A token that has worked from an address within the last day goes on working there": (
        "security/test_attacks.py::test_a_client_that_works_goes_on_while_its_address_is_blocked",
    ),
    "A right token that is *new* at a blocked address waits like a guess would": (
        "web/test_lockout.py"
        "::test_a_token_known_from_the_address_passes_the_block_and_a_new_one_waits",
    ),
    "What web pages of other origins send is counted apart.": (
        "security/test_attacks.py::test_a_web_page_cannot_lock_out_whoever_visits_it",
        "security/test_browser.py::test_a_foreign_page_cannot_lock_its_visitor_out",
    ),
    "Preflights and public routes never count.": (
        "web/test_lockout.py::test_preflights_unknown_paths_and_public_routes_never_count",
    ),
    "``airelays doctor`` lists them": (
        "cli/test_doctor_on_a_relay.py"
        "::test_blocked_addresses_are_named_with_the_command_that_frees_them",
    ),
    "opens the model routes (below ``/v1``, ``/no-tools/v1`` and ``/v1beta``) and nothing else": (
        "security/test_attacks.py::test_an_open_relay_opens_the_model_routes_only",
    ),
    "refuses to listen beyond this machine": (
        "cli/test_serve.py::test_an_open_relay_for_others_is_refused",
    ),
    "and to answer others if another server has let them in": (
        "web/test_host.py::test_another_machine_is_refused_whatever_the_server_listens_on",
    ),
    "(no DNS rebinding)": (
        "security/test_attacks.py::test_a_page_that_points_its_own_name_here_gets_nothing",
        "web/test_host.py::test_other_names_are_refused_on_every_route",
    ),
    "no page of another origin": (
        "security/test_attacks.py::test_a_foreign_page_cannot_use_an_open_relay",
        "security/test_browser.py::test_a_foreign_page_gets_nothing_from_an_open_relay",
    ),
    "its right-most entry that is no listed proxy": (
        "security/test_attacks.py::test_behind_a_listed_proxy_the_right_most_other_address_counts",
    ),
    "What a client invents stands further left and changes nothing.": (
        "security/test_attacks.py::test_an_invented_address_gives_no_further_tries",
    ),
    "A client's credentials, cookies, addresses and hop-by-hop headers are never sent on": (
        "security/test_headers_across.py::test_of_a_clients_headers_only_the_dialects_own_go_on",
        "security/test_headers_across.py"
        "::test_a_call_that_is_relayed_as_it_is_carries_the_relays_key_and_no_clients",
    ),
    "an upstream's cookies are not passed back": (
        "security/test_headers_across.py::test_an_upstreams_cookies_and_hops_stop_here",
    ),
    "Redirects are never followed": (
        "security/test_headers_across.py::test_a_redirect_is_an_error_and_the_key_stays_at_home",
    ),
    "A value with a line break cannot become a header": (
        "security/test_headers_across.py::test_an_upstream_cannot_begin_a_header_of_its_own",
        "upstream/test_client.py::test_nothing_can_be_smuggled_into_the_head",
    ),
    "a base URL may not; neither is ever shown": (
        "config/test_showing.py::test_no_secret_is_shown",
    ),
    "a browser stores it and runs nothing of it on the relay's origin": (
        "security/test_browser.py::test_an_uploaded_page_is_downloaded_and_never_run",
    ),
    "Names from clients never become paths.": (
        "security/test_headers_across.py::test_a_file_name_stays_a_file_name",
    ),
    "no prompt, no answer, no token, no query string": (
        "security/test_planted_secrets.py::test_no_secret_is_where_it_does_not_belong",
    ),
    "of an unexpected error only its type and place": (
        "test_logs.py::test_an_exception_is_described_by_type_place_and_cause_only",
    ),
    "written only as far as it looks like a name": (
        "services/test_record.py::test_a_model_is_named_and_a_sentence_is_measured",
    ),
    "only what an allow-list names is written": (
        "store/test_redaction.py::test_headers_that_are_not_listed_lose_their_value",
    ),
    "under an account of its own that can write to its state folder only": (
        "systemd/test_units.py"
        "::test_the_system_unit_runs_as_its_own_user_and_writes_only_its_state",
    ),
    "``systemd-analyze security`` rates it": (
        "systemd/test_units.py::test_the_system_unit_is_little_exposed",
    ),
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_the_page_makes_the_claim_and_a_test_proves_it(claim):
    assert claim in TEXT
    for place in CLAIMS[claim]:
        file, _, name = place.partition("::")
        tree = ast.parse((ROOT / "tests" / file).read_text())
        assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
