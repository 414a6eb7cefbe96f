import base64
import hmac
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jwk, jws, jwt
from sqlalchemy.orm import Session

from keys import compact
from keys.refusals import (
    ConcurrentRotation,
    EmptyStore,
    KeyUnusable,
    NoCurrentKey,
    NothingToRetire,
    StoreUnreadable,
    UnknownAlgorithm,
    UnknownKey,
)
from keys.ring import BadSignature, KeyRing
from keys.sealing import Sealer
from keys.store import DateName, Key, SigningKey
from keys.stores.sql import SqlKeyStore
from tests.conftest import Clock, Recorded
from tests.keys.conftest import POLICY, MakeRing

AHEAD, LIFETIME = POLICY.publish_ahead, POLICY.token_lifetime


def header(token: str) -> dict[str, Any]:
    part = token.split(".")[0]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def published(ring: KeyRing) -> list[str]:
    return [key["kid"] for key in json.loads(ring.jwks().body)["keys"]]


def signing(ring: KeyRing, alg: str = "ES256") -> str:
    return str(header(ring.sign({}, alg))["kid"])


def states(ring: KeyRing) -> list[str]:
    return [listed.state for listed in ring.list()]


class Watched:
    """A store that counts what it is asked, and fails when told to."""

    def __init__(self, store: SqlKeyStore) -> None:
        self.store = store
        self.reads = 0
        self.opened: list[str] = []
        self.broken = False
        self.empty = False
        self.closed: set[str] = set()
        self.before_add: Callable[[], object] = lambda: None

    def read(self) -> list[SigningKey]:
        self.reads += 1
        if self.broken:
            raise StoreUnreadable("panne")
        return [] if self.empty else list(self.store.read())

    def private(self, kid: str) -> Key:
        self.opened.append(kid)
        if kid in self.closed:
            raise KeyUnusable(kid)
        return self.store.private(kid)

    def add(self, key: SigningKey, private: Key) -> bool:
        self.before_add()
        return self.store.add(key, private)

    def bring_forward(self, kid: str, date: DateName, at: int) -> bool:
        return self.store.bring_forward(kid, date, at)


@pytest.fixture
def watched(store: SqlKeyStore) -> Watched:
    return Watched(store)


class TestSigning:
    @pytest.mark.parametrize("alg", ["RS256", "ES256"])
    def test_another_library_verifies_what_we_sign_with_what_we_publish(self, make_ring: MakeRing, alg: str) -> None:
        ring = make_ring(["RS256", "ES256"])
        ring.make_missing()
        claims = {"iss": "https://idp.example", "name": "Zoé Lefèvre", "exp": 1_800_000_300}
        keys = jwk.KeySet.import_key_set(json.loads(ring.jwks().body))
        assert jwt.decode(ring.sign(claims, alg), keys, algorithms=[alg]).claims == claims

    @pytest.mark.authlib(3)
    def test_the_header_is_exactly_alg_kid_typ(self, ring: KeyRing) -> None:
        kid = published(ring)[0]
        assert header(ring.sign({}, "ES256")) == {"alg": "ES256", "kid": kid, "typ": "JWT"}
        assert header(ring.sign({}, "ES256", "logout+jwt"))["typ"] == "logout+jwt"
        assert header(ring.sign({}, "ES256"))["typ"] == "JWT"

    @pytest.mark.authlib(3)
    def test_one_key_signs_even_when_several_are_published(self, ring: KeyRing, clock: Clock) -> None:
        first = signing(ring)
        ring.rotate()
        assert len(published(ring)) == 2
        assert {signing(ring) for _ in range(50)} == {first}
        clock.advance(AHEAD)
        assert len(published(ring)) == 2
        assert {signing(ring) for _ in range(50)} == {published(ring)[1]}

    @pytest.mark.parametrize("alg", ["none", "HS256", "RS512", "", "RS256"])
    def test_an_algorithm_that_is_not_configured_signs_nothing(self, ring: KeyRing, alg: str) -> None:
        with pytest.raises(UnknownAlgorithm):
            ring.sign({}, alg)

    def test_a_ring_cannot_be_made_for_an_unknown_algorithm(self, make_ring: MakeRing) -> None:
        with pytest.raises(UnknownAlgorithm):
            make_ring(["HS256"])

    def test_without_a_key_nothing_is_signed_and_none_is_made(self, make_ring: MakeRing) -> None:
        ring = make_ring()
        with pytest.raises(NoCurrentKey, match="restaurez"):
            ring.sign({}, "ES256")
        with pytest.raises(NoCurrentKey):
            ring.check()
        assert ring.list() == ()


class TestVerifying:
    @pytest.mark.parametrize("alg", ["RS256", "ES256"])
    def test_what_we_signed_comes_back(self, make_ring: MakeRing, alg: str) -> None:
        ring = make_ring(["RS256", "ES256"])
        ring.make_missing()
        assert ring.verify(ring.sign({"sub": "é"}, alg)) == {"sub": "é"}

    def test_any_change_breaks_the_signature(self, ring: KeyRing) -> None:
        first, second, third = ring.sign({"sub": "a"}, "ES256").split(".")
        other = compact.payload({"sub": "b"}).decode()
        wrong = ("A" if third[0] != "A" else "B") + third[1:]
        for token in (f"{first}.{other}.{third}", f"{first}.{second}.{wrong}", f"{first}.{second}.AAAA"):
            with pytest.raises(BadSignature):
                ring.verify(token)

    def test_a_signature_of_zeros_is_refused(self, ring: KeyRing) -> None:
        first, second, _ = ring.sign({}, "ES256").split(".")
        with pytest.raises(BadSignature):
            ring.verify(f"{first}.{second}.{compact.encode(bytes(64)).decode()}")

    @pytest.mark.security("JW-02")
    @pytest.mark.parametrize("alg", ["HS256", "none"])
    def test_a_public_key_is_no_shared_secret(self, make_ring: MakeRing, alg: str) -> None:
        ring = make_ring(["RS256"])
        ring.make_missing()
        public = json.loads(ring.jwks().body)["keys"][0]
        pem = jwk.RSAKey.import_key(public).as_pem(private=False)
        for secret in (pem, pem.strip(), ring.jwks().body, json.dumps(public).encode()):
            fields = {"alg": alg, "kid": public["kid"], "typ": "JWT"}
            # By hand: joserfc itself refuses to take a public key for a secret.
            signed = compact.encode(json.dumps(fields).encode()) + b".e30"
            forged = hmac.digest(secret, signed, "sha256") if alg == "HS256" else b""
            token = (signed + b"." + compact.encode(forged)).decode()
            with pytest.raises(BadSignature):
                ring.verify(token)

    @pytest.mark.security("JW-02")
    def test_the_algorithm_is_that_of_the_key_and_no_other(self, make_ring: MakeRing) -> None:
        ring = make_ring(["RS256", "ES256"])
        ring.make_missing()
        rs, es = ring.sign({}, "RS256"), ring.sign({}, "ES256")
        swapped = compact.header("RS256", header(es)["kid"], "JWT").decode() + ".".join(es.split(".")[1:])
        with pytest.raises(BadSignature):
            ring.verify(swapped)
        assert ring.verify(rs, algorithms=["RS256"]) == {}
        with pytest.raises(BadSignature):
            ring.verify(es, algorithms=["RS256"])

    @pytest.mark.security("JW-03")
    def test_a_key_in_the_header_is_not_used(self, ring: KeyRing) -> None:
        own = jwk.ECKey.generate_key("P-256")
        kid = published(ring)[0]
        for more in ({"jwk": own.as_dict(private=False)}, {"jku": "https://evil.example"}, {"x5c": ["AA"]}, {}):
            token = jws.serialize_compact({"alg": "ES256", "kid": kid, "typ": "JWT"} | more, b"{}", own)
            with pytest.raises(BadSignature):
                ring.verify(token)

    @pytest.mark.security("JW-03")
    @pytest.mark.parametrize("kid", ["", "../../../dev/null", "' UNION SELECT sealed --", "x" * 4000, "\x00"])
    def test_an_unknown_kid_costs_no_look_up(self, make_ring: MakeRing, watched: Watched, kid: str) -> None:
        ring = make_ring(other=watched)
        ring.make_missing()
        token = ring.sign({}, "ES256")
        before = watched.reads, len(watched.opened)
        forged = compact.header("ES256", kid, "JWT").decode() + ".".join(token.split(".")[1:])
        with pytest.raises(BadSignature):
            ring.verify(forged)
        assert (watched.reads, len(watched.opened)) == before

    @pytest.mark.security("JW-12")
    @pytest.mark.parametrize("typ", ["logout+jwt", "at+jwt", "jwt", "", "application/jwt"])
    def test_a_token_of_one_kind_does_not_pass_for_another(self, ring: KeyRing, typ: str) -> None:
        token = ring.sign({"sub": "a"}, "ES256", typ)
        with pytest.raises(BadSignature):
            ring.verify(token, typ="JWT")
        assert ring.verify(token, typ=typ) == {"sub": "a"}

    def test_a_signed_payload_that_is_no_object_is_refused(self, ring: KeyRing, store: SqlKeyStore) -> None:
        kid = published(ring)[0]
        fields = {"alg": "ES256", "kid": kid, "typ": "JWT"}
        token = jws.serialize_compact(fields, b"[1]", store.private(kid))
        with pytest.raises(BadSignature):
            ring.verify(token)

    def test_an_expired_token_passes_since_claims_are_the_callers(self, ring: KeyRing) -> None:
        assert ring.verify(ring.sign({"exp": 1}, "ES256")) == {"exp": 1}


class TestPublishing:
    def test_no_private_member_is_ever_published(self, make_ring: MakeRing) -> None:
        ring = make_ring(["RS256", "ES256"])
        ring.make_missing()
        first, second = json.loads(ring.jwks().body)["keys"]
        assert first.keys() == {"kty", "kid", "use", "alg", "n", "e"}
        assert second.keys() == {"kty", "kid", "use", "alg", "crv", "x", "y"}

    def test_the_etag_tells_whether_the_keys_changed(self, ring: KeyRing, clock: Clock) -> None:
        before = ring.jwks()
        clock.advance(1000)
        assert ring.jwks() == before
        assert before.etag[0] == before.etag[-1] == '"'
        assert before.max_age == POLICY.jwks_max_age
        ring.rotate()
        assert ring.jwks().etag != before.etag

    def test_a_key_of_an_algorithm_of_the_future_is_left_alone(self, ring: KeyRing, store: SqlKeyStore) -> None:
        before = published(ring)
        private = store.private(before[0])
        store.add(SigningKey("future", "ML-DSA-44", 1, 0, 0), private)
        ring.rotate()
        assert "future" not in published(ring)


class TestFirstKeys:
    def test_each_algorithm_gets_one_key_that_signs_at_once(self, make_ring: MakeRing, recorded: Recorded) -> None:
        ring = make_ring(["RS256", "ES256"])
        made = ring.make_missing()
        assert [(key.alg, key.generation) for key in made] == [("RS256", 1), ("ES256", 1)]
        assert recorded.names == ["keys.made", "keys.made"]
        assert states(ring) == ["current", "current"]
        ring.check()

    def test_the_second_time_nothing_is_made(self, ring: KeyRing, recorded: Recorded) -> None:
        before = ring.jwks()
        assert ring.make_missing() == ()
        assert ring.jwks() == before
        assert recorded.names == ["keys.made"]

    @pytest.mark.security("F-27")
    def test_who_comes_second_takes_the_keys_of_the_first(self, make_ring: MakeRing, watched: Watched) -> None:
        first, second = make_ring(), make_ring(other=watched)
        watched.before_add = first.make_missing
        assert second.make_missing() == ()
        assert second.jwks() == first.jwks()

    def test_a_new_algorithm_gets_its_key_and_the_others_keep_theirs(self, ring: KeyRing, make_ring: MakeRing) -> None:
        kept = published(ring)
        more = make_ring(["RS256", "ES256"])
        assert [key.alg for key in more.make_missing()] == ["RS256"]
        assert set(kept) < set(published(more))

    @pytest.mark.security("F-23")
    def test_a_store_that_lost_its_keys_does_not_get_new_ones(self, make_ring: MakeRing, ring: KeyRing) -> None:
        lost = make_ring(other=Watched(ring._store))  # type: ignore[arg-type]
        assert lost.make_missing(first_start=False) == ()
        lost._store.empty = True  # type: ignore[attr-defined]
        with pytest.raises(EmptyStore, match="restaurez"):
            lost.make_missing(first_start=False)
        assert len(ring.list()) == 1

    def test_events_tell_no_secret(self, ring: KeyRing, recorded: Recorded, store: SqlKeyStore) -> None:
        kid = published(ring)[0]
        ring.rotate()
        ring.revoke(kid)
        private = str(store.private(kid).as_dict(private=True)["d"])
        assert private not in repr(recorded)
        assert "private" not in repr(recorded)
        json.dumps([details for _, details in recorded])


class TestRotation:
    @pytest.mark.security("JW-07")
    def test_a_rotation_from_the_first_day_to_the_last(self, ring: KeyRing, clock: Clock) -> None:
        old = signing(ring)
        (successor,) = ring.rotate()
        assert published(ring) == [old, successor.kid]
        assert successor.active_from == clock() + AHEAD
        clock.advance(AHEAD - 1)
        last = ring.sign({"last": 1}, "ES256")
        assert header(last)["kid"] == old
        clock.advance(1)
        assert signing(ring) == successor.kid
        clock.advance(LIFETIME - 1)
        assert published(ring) == [old, successor.kid]
        assert ring.verify(last) == {"last": 1}
        clock.advance(1)
        assert published(ring) == [successor.kid]
        with pytest.raises(BadSignature):
            ring.verify(last)

    @pytest.mark.security("F-26")
    def test_a_rotation_that_waits_is_not_begun_again(
        self, ring: KeyRing, make_ring: MakeRing, recorded: Recorded
    ) -> None:
        assert ring.rotate() == ring.rotate("ES256") == make_ring().rotate()
        assert states(ring) == ["current", "published"]
        assert recorded.names == ["keys.made", "keys.made"]

    @pytest.mark.security("F-26")
    def test_a_rotation_that_crashed_leaves_the_previous_key_and_the_next_run_repairs(
        self, ring: KeyRing, make_ring: MakeRing, watched: Watched, session: Session
    ) -> None:
        session.commit()
        before = signing(ring)
        cut = make_ring(other=watched)

        def crash() -> None:
            raise KeyboardInterrupt

        watched.before_add = crash
        with pytest.raises(KeyboardInterrupt):
            cut.rotate()
        session.rollback()
        assert states(ring) == ["current"]
        ring.rotate()
        session.rollback()  # the process died before its commit
        assert states(ring) == ["current"]
        assert signing(ring) == before
        watched.before_add = lambda: None
        cut.rotate()
        assert states(ring) == ["current", "published"]
        assert signing(ring) == before

    def test_of_two_rotations_at_once_one_makes_the_key(self, make_ring: MakeRing, watched: Watched) -> None:
        ring, late = make_ring(), make_ring(other=watched)
        ring.make_missing()
        watched.before_add = ring.rotate
        assert late.rotate() == ring.rotate()
        assert states(ring) == ["current", "published"]

    def test_rotations_that_never_get_their_turn_give_up(
        self, ring: KeyRing, make_ring: MakeRing, clock: Clock
    ) -> None:
        class Crowded(Watched):
            def add(self, key: SigningKey, private: Key) -> bool:
                return False

        crowded = make_ring(other=Crowded(ring._store))  # type: ignore[arg-type]
        with pytest.raises(ConcurrentRotation):
            crowded.rotate()
        with pytest.raises(ConcurrentRotation):
            crowded.revoke(signing(ring))

    def test_each_algorithm_rotates_alone_when_asked(self, make_ring: MakeRing) -> None:
        ring = make_ring(["RS256", "ES256"])
        ring.make_missing()
        assert [key.alg for key in ring.rotate("ES256")] == ["ES256"]
        assert [key.alg for key in ring.rotate()] == ["RS256", "ES256"]
        with pytest.raises(UnknownAlgorithm):
            ring.rotate("HS256")


class TestRetiring:
    def test_the_current_key_gets_a_successor_and_leaves_after_it(self, ring: KeyRing, clock: Clock) -> None:
        old = signing(ring)
        listed = ring.retire(old)
        assert (listed.state, listed.leaves_at) == ("current", clock() + AHEAD + LIFETIME)
        assert states(ring) == ["current", "published"]
        clock.advance(AHEAD)
        assert ring.retire(old).state == "retired"
        clock.advance(LIFETIME)
        with pytest.raises(NothingToRetire):
            ring.retire(old)

    def test_a_key_that_never_signed_leaves_at_once(self, ring: KeyRing, recorded: Recorded, clock: Clock) -> None:
        old = signing(ring)
        (waiting,) = ring.rotate()
        assert ring.retire(waiting.kid).state == "gone"
        assert published(ring) == [old]
        clock.advance(AHEAD * 2)
        assert signing(ring) == old
        assert recorded[-1][0] == "keys.retired"
        assert ring.rotate()[0].generation == 3

    def test_an_unknown_key_is_refused(self, ring: KeyRing) -> None:
        with pytest.raises(UnknownKey, match="idp keys list"):
            ring.retire("unknown")


class TestRevoking:
    @pytest.mark.security("JW-08")
    def test_the_key_leaves_at_once_and_a_new_one_signs_at_once(self, ring: KeyRing, recorded: Recorded) -> None:
        leaked = signing(ring)
        token = ring.sign({}, "ES256")
        fresh = ring.revoke(leaked)
        assert fresh is not None
        assert signing(ring) == fresh.kid != leaked
        assert published(ring) == [fresh.kid]
        with pytest.raises(BadSignature):
            ring.verify(token)
        assert recorded.names[-2:] == ["keys.made", "keys.revoked"]

    @pytest.mark.security("JW-08")
    def test_a_key_that_readers_know_already_takes_over_before_its_time(self, ring: KeyRing, clock: Clock) -> None:
        leaked = signing(ring)
        (waiting,) = ring.rotate()
        clock.advance(100)
        fresh = ring.revoke(leaked)
        assert fresh is not None
        assert fresh.kid == waiting.kid == signing(ring)
        assert states(ring) == ["revoked", "current"]

    @pytest.mark.security("JW-08")
    def test_other_processes_follow_within_five_seconds(self, ring: KeyRing, make_ring: MakeRing, clock: Clock) -> None:
        other = make_ring()
        leaked = signing(other)
        ring.revoke(leaked)
        clock.advance(4)
        assert published(other) == published(ring) != [leaked]
        assert signing(other) == signing(ring)

    @pytest.mark.security("JW-08")
    def test_revoking_again_changes_nothing(self, ring: KeyRing, recorded: Recorded) -> None:
        leaked = signing(ring)
        first = ring.revoke(leaked)
        before = list(recorded)
        assert ring.revoke(leaked) == first
        assert list(recorded) == before

    @pytest.mark.security("JW-08", "F-26")
    def test_a_revocation_that_was_cut_leaves_a_key_that_signs_and_is_finished_by_the_next_run(
        self, ring: KeyRing, make_ring: MakeRing, watched: Watched, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        leaked = signing(ring)
        cut = make_ring(other=watched)

        def killed(*_: object) -> bool:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(watched, "bring_forward", killed)
            with pytest.raises(KeyboardInterrupt):
                cut.revoke(leaked)
        assert states(ring) == ["retired", "current"]
        cut.revoke(leaked)
        assert states(ring) == ["revoked", "current"]

    def test_revoking_a_key_that_does_not_sign_leaves_the_current_one(self, ring: KeyRing, clock: Clock) -> None:
        old = signing(ring)
        (waiting,) = ring.rotate()
        kept = ring.revoke(waiting.kid)
        assert kept is not None
        assert kept.kid == old == signing(ring)
        clock.advance(AHEAD)
        assert signing(ring) == old

    def test_of_two_that_bring_the_same_key_forward_one_says_so(
        self, ring: KeyRing, make_ring: MakeRing, watched: Watched, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        leaked = signing(ring)
        ring.rotate()
        forward = watched.bring_forward

        def second(kid: str, date: DateName, at: int) -> bool:
            watched.store.bring_forward(kid, date, at)
            return forward(kid, date, at)

        monkeypatch.setattr(watched, "bring_forward", second)
        make_ring(other=watched).revoke(leaked)
        assert recorded.names == ["keys.made", "keys.made"]
        assert states(ring) == ["revoked", "current"]

    def test_an_algorithm_whose_keys_are_all_dead_gets_a_new_one_by_rotating(
        self, ring: KeyRing, store: SqlKeyStore, clock: Clock
    ) -> None:
        dead = signing(ring)
        store.bring_forward(dead, "revoked_at", clock())
        clock.advance(4)
        with pytest.raises(NoCurrentKey, match="idp keys rotate --alg ES256"):
            ring.sign({}, "ES256")
        assert ring.make_missing() == ()
        (fresh,) = ring.rotate()
        assert signing(ring) == fresh.kid

    def test_an_unknown_key_is_refused(self, ring: KeyRing) -> None:
        with pytest.raises(UnknownKey):
            ring.revoke("unknown")


class TestHolding:
    def test_the_store_is_read_every_four_seconds_at_most_and_keys_are_opened_once(
        self, ring: KeyRing, make_ring: MakeRing, watched: Watched, clock: Clock
    ) -> None:
        served = make_ring(other=watched)
        for second in range(40):
            for _ in range(5):
                served.sign({}, "ES256")
                served.jwks()
            assert watched.reads == second // 4 + 1
            clock.advance(1)
        assert len(watched.opened) == 1
        ring.rotate()
        clock.advance(4)
        served.jwks()
        assert len(watched.opened) == 2

    def test_keys_that_left_are_not_opened(
        self, ring: KeyRing, make_ring: MakeRing, watched: Watched, clock: Clock
    ) -> None:
        old = signing(ring)
        ring.rotate()
        clock.advance(AHEAD + LIFETIME)
        served = make_ring(other=watched)
        served.check()
        assert watched.opened == published(ring)
        assert old not in watched.opened

    def test_a_change_of_state_is_seen_at_its_second(self, ring: KeyRing, clock: Clock) -> None:
        (successor,) = ring.rotate()
        clock.advance(AHEAD - 1)
        assert signing(ring) != successor.kid
        clock.advance(1)
        assert signing(ring) == successor.kid

    def test_the_clock_may_go_back(self, ring: KeyRing, clock: Clock) -> None:
        old = signing(ring)
        (successor,) = ring.rotate()
        clock.advance(AHEAD)
        assert signing(ring) == successor.kid
        clock.advance(-3600)
        assert signing(ring) == old
        clock.advance(-10 * 86400)
        assert signing(ring) == old
        clock.advance(11 * 86400)
        assert signing(ring) == successor.kid

    @pytest.mark.security("F-23")
    def test_a_store_that_fails_stops_a_start_but_not_a_running_process(
        self, ring: KeyRing, make_ring: MakeRing, watched: Watched, clock: Clock, caplog: pytest.LogCaptureFixture
    ) -> None:
        running = make_ring(other=watched)
        before = running.jwks()
        watched.broken = True
        with pytest.raises(StoreUnreadable):
            make_ring(other=watched).jwks()
        with pytest.raises(StoreUnreadable):
            running.check()
        clock.advance(60)
        assert running.jwks() == before
        assert running.verify(running.sign({"a": 1}, "ES256")) == {"a": 1}
        assert "keys.store_unreadable" in caplog.text

    def test_time_goes_on_while_the_store_fails(
        self, ring: KeyRing, make_ring: MakeRing, watched: Watched, clock: Clock
    ) -> None:
        (successor,) = ring.rotate()
        running = make_ring(other=watched)
        assert signing(running) != successor.kid
        watched.broken = True
        clock.advance(AHEAD)
        assert signing(running) == successor.kid

    @pytest.mark.security("F-23")
    def test_an_emptied_store_makes_no_new_key(
        self, ring: KeyRing, make_ring: MakeRing, watched: Watched, clock: Clock
    ) -> None:
        running = make_ring(other=watched)
        before = running.jwks()
        watched.empty = True
        clock.advance(10)
        assert running.jwks() == before
        with pytest.raises(NoCurrentKey):
            running.check()
        with pytest.raises(NoCurrentKey):
            make_ring(other=watched).check()
        watched.empty = False
        assert len(running.list()) == 1

    @pytest.mark.security("F-23")
    def test_the_wrong_key_encryption_key_refuses_to_start(
        self, ring: KeyRing, make_ring: MakeRing, session: Session
    ) -> None:
        wrong = make_ring(other=SqlKeyStore(lambda: session, Sealer([b"\x09" * 32])))
        for attempt in (wrong.check, wrong.jwks, lambda: wrong.sign({}, "ES256")):
            with pytest.raises(KeyUnusable, match="IDP_KEY_ENCRYPTION_KEYS"):
                attempt()
        assert wrong.make_missing() == ()
        assert len(ring.list()) == 1

    @pytest.mark.security("F-23")
    def test_a_new_key_that_does_not_open_leaves_the_previous_one_signing_until_it_leaves(
        self, ring: KeyRing, make_ring: MakeRing, watched: Watched, clock: Clock, caplog: pytest.LogCaptureFixture
    ) -> None:
        running = make_ring(other=watched)
        old = signing(running)
        (successor,) = ring.rotate()
        watched.closed.add(successor.kid)
        clock.advance(AHEAD)
        assert signing(running) == old
        assert "keys.key_unusable" in caplog.text
        watched.closed.clear()
        clock.advance(4)
        assert signing(running) == successor.kid
        watched.closed.add(successor.kid)
        assert signing(running) == successor.kid

    def test_a_process_that_cannot_open_the_successor_stops_when_its_own_key_has_left(
        self, ring: KeyRing, make_ring: MakeRing, watched: Watched, clock: Clock
    ) -> None:
        running = make_ring(other=watched)
        running.jwks()
        watched.closed.add(ring.rotate()[0].kid)
        clock.advance(AHEAD + LIFETIME)
        with pytest.raises(NoCurrentKey):
            running.sign({}, "ES256")

    def test_many_threads_share_one_ring_and_one_of_them_reads(
        self, ring: KeyRing, make_ring: MakeRing, watched: Watched, clock: Clock
    ) -> None:
        shared = make_ring(other=watched)
        session_lock, failures = threading.Lock(), []
        read = watched.read

        def one_reader() -> list[SigningKey]:
            assert session_lock.acquire(blocking=False), "two threads read at once"
            try:
                return read()
            finally:
                session_lock.release()

        watched.read = one_reader  # type: ignore[method-assign]

        def work() -> None:
            try:
                for _ in range(200):
                    assert shared.verify(shared.sign({"a": 1}, "ES256")) == {"a": 1}
            except BaseException as failure:  # noqa: BLE001, RUF100
                failures.append(failure)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for _ in range(20):
            clock.advance(4)
        for thread in threads:
            thread.join()
        assert failures == []
        assert len(watched.opened) == 1

    def test_while_one_thread_reads_the_others_go_on_with_what_they_have(
        self, ring: KeyRing, make_ring: MakeRing, watched: Watched, clock: Clock
    ) -> None:
        shared = make_ring(other=watched)
        before = signing(shared)
        entered, may_go = threading.Event(), threading.Event()
        read = watched.read

        def slow() -> list[SigningKey]:
            entered.set()
            assert may_go.wait(10)
            return read()

        watched.read = slow  # type: ignore[method-assign]
        clock.advance(4)
        reader = threading.Thread(target=shared.jwks)
        reader.start()
        assert entered.wait(10)
        assert signing(shared) == before
        may_go.set()
        reader.join()

    def test_who_waited_for_the_first_reading_does_not_read_again(
        self, ring: KeyRing, make_ring: MakeRing, watched: Watched
    ) -> None:
        shared = make_ring(other=watched)
        shared._renewing.acquire()
        results: list[str] = []
        waiting = threading.Thread(target=lambda: results.append(shared.jwks().etag))
        waiting.start()
        shared._view = make_ring()._now()
        shared._renewing.release()
        waiting.join()
        assert results == [ring.jwks().etag]


def test_a_token_signed_by_joserfc_with_our_key_verifies_here(ring: KeyRing, store: SqlKeyStore) -> None:
    key = store.private(published(ring)[0])
    fields = {"alg": "ES256", "kid": key.kid, "typ": "JWT"}
    assert ring.verify(jwt.encode(fields, {"a": 1}, key, algorithms=["ES256"])) == {"a": 1}
