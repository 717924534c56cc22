/**
 * The tables and functions in PostgreSQL, by version of the schema.
 *
 * A version only adds: what nodes of the version before use stays, so that old and new nodes run side by side, and goes one version
 * later (`usableFrom`). A function whose arguments or answer change gets another name.
 *
 * The clock is that of the database alone: `clock_timestamp()`, never `now()`, which stands still in a transaction.
 *
 * @module
 */

import { QUOTAS } from "./quota_sql.ts";

/** One step of the schema. */
export interface SchemaVersion {
  /** The oldest version of a program that may still run beside it. */
  readonly usableFrom: number;
  /** What it adds to the one before. */
  readonly sql: string;
}

const TABLES = `
-- A run of a node. Who does not beat in time is gone, with all that it holds.
CREATE TABLE ftpsd.node (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  expires_at timestamptz NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- The run of the database in which it has said what it holds.
  announced uuid
);
-- A run of the database: what is unlogged is empty after a crash, this too. Nothing is given out before all nodes that live have
-- said what they hold.
CREATE UNLOGGED TABLE ftpsd.run (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  since timestamptz NOT NULL DEFAULT clock_timestamp(),
  settled boolean NOT NULL DEFAULT false
);
-- What nodes hold: places of connections (address) and sessions (account), attempts, claims.
CREATE UNLOGGED TABLE ftpsd.hold (
  kind text NOT NULL,
  key text NOT NULL,
  node uuid NOT NULL,
  id bigint NOT NULL,
  PRIMARY KEY (kind, key, node, id)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
CREATE INDEX hold_by_node ON ftpsd.hold (node, id);
CREATE TABLE ftpsd.failure (
  block text NOT NULL,
  node uuid NOT NULL,
  id bigint NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (node, id)
);
CREATE INDEX failure_by_block ON ftpsd.failure (block, at);
CREATE TABLE ftpsd.ban (block text PRIMARY KEY, until timestamptz NOT NULL);
-- What nodes are told at once by NOTIFY, and find here when they have not heard it.
CREATE TABLE ftpsd.event (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL,
  subject text NOT NULL,
  seconds double precision NOT NULL DEFAULT 0,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX event_by_time ON ftpsd.event (at);
CREATE TABLE ftpsd.record (
  space text NOT NULL,
  key bytea NOT NULL,
  value text NOT NULL,
  expires_at timestamptz NOT NULL DEFAULT 'infinity',
  -- An index takes no key of more than 2,700 bytes.
  digest bytea NOT NULL GENERATED ALWAYS AS (sha256(key)) STORED,
  PRIMARY KEY (space, digest)
);
CREATE INDEX record_by_key ON ftpsd.record (space, substr(key, 1, 1024));
CREATE INDEX record_by_end ON ftpsd.record (expires_at);
-- Accounts, for whoever wants them here. What is in settings is said in the words of an entry of users in the configuration file.
CREATE TABLE ftpsd.account (
  name text PRIMARY KEY CHECK (name <> '' AND name !~ '[[:cntrl:]]' AND octet_length(name) <= 1000),
  password text NOT NULL CHECK (password LIKE '$%'), -- a hash, never clear text
  enabled boolean NOT NULL DEFAULT true,
  settings jsonb NOT NULL CHECK (
    jsonb_typeof(settings) = 'object' AND settings ? 'home' AND NOT settings ?| '{name,password,enabled}'
  )
);
CREATE TABLE ftpsd.duty (name text PRIMARY KEY, node uuid NOT NULL, expires_at timestamptz NOT NULL);
`;

const NODES = `
CREATE FUNCTION ftpsd.emit(p_kind text, p_subject text, p_seconds double precision DEFAULT 0) RETURNS void LANGUAGE plpgsql AS $$
DECLARE v_id bigint;
BEGIN
  INSERT INTO ftpsd.event (kind, subject, seconds) VALUES (p_kind, p_subject, p_seconds) RETURNING id INTO v_id;
  -- What is too long for a notification is found in the table.
  IF octet_length(p_subject) > 1000 THEN RETURN; END IF;
  PERFORM pg_notify('ftpsd',
    json_build_object('id', v_id, 'kind', p_kind, 'subject', p_subject, 'seconds', p_seconds)::text);
END $$;

-- Begins or goes on with the run of the database.
CREATE FUNCTION ftpsd.current_run() RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE v_id uuid;
BEGIN
  SELECT id INTO v_id FROM ftpsd.run;
  IF NOT FOUND THEN
    INSERT INTO ftpsd.run DEFAULT VALUES ON CONFLICT DO NOTHING;
    SELECT id INTO v_id FROM ftpsd.run;
  END IF;
  RETURN v_id;
END $$;

-- A node begins, and says what its sessions still hold.
-- Its earlier runs, which it has ended by itself, are gone with that, so that nothing counts twice.
CREATE FUNCTION ftpsd.node_join(
  p_owner uuid, p_node uuid, p_name text, p_lease_ms int, p_before uuid[], p_ids bigint[], p_kinds text[], p_keys text[]
) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE v_run uuid := ftpsd.current_run();
BEGIN
  DELETE FROM ftpsd.hold WHERE node = ANY (p_before);
  DELETE FROM ftpsd.node WHERE id = ANY (p_before);
  INSERT INTO ftpsd.node (id, name, expires_at, announced)
    VALUES (p_node, p_name, clock_timestamp() + p_lease_ms * interval '1 ms', v_run);
  INSERT INTO ftpsd.hold (kind, key, node, id)
    SELECT kind, key, p_node, id FROM unnest(p_ids, p_kinds, p_keys) AS held (id, kind, key);
  UPDATE ftpsd.quota_change SET node = p_node WHERE owner = p_owner AND lost_at IS NULL; -- their end has yet to be told
  RETURN v_run;
END $$;

-- A node says anew what it holds; whether it still may.
CREATE FUNCTION ftpsd.node_announce(p_node uuid, p_run uuid, p_ids bigint[], p_kinds text[], p_keys text[])
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM ftpsd.node WHERE id = p_node AND expires_at > clock_timestamp() FOR UPDATE;
  IF NOT FOUND OR NOT EXISTS (SELECT FROM ftpsd.run WHERE id = p_run) THEN RETURN false; END IF;
  INSERT INTO ftpsd.hold (kind, key, node, id)
    SELECT kind, key, p_node, id FROM unnest(p_ids, p_kinds, p_keys) AS held (id, kind, key) ON CONFLICT DO NOTHING;
  UPDATE ftpsd.node SET announced = p_run WHERE id = p_node;
  RETURN true;
END $$;

-- A node lives on, unless it is too late. Once all have said what they hold, things are given out again; those whose lease has ended
-- while the database was away have some seconds to come back. What has expired longer ago than anybody may wait for a lock is swept.
CREATE FUNCTION ftpsd.node_beat(p_node uuid, p_lease_ms int)
RETURNS TABLE (alive boolean, run uuid, announced boolean, settled boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE v_run uuid := ftpsd.current_run(); v_announced uuid; v_alive boolean; v_settled boolean; v_since timestamptz; v_dead uuid[];
BEGIN
  UPDATE ftpsd.node SET expires_at = clock_timestamp() + p_lease_ms * interval '1 ms'
    WHERE id = p_node AND expires_at > clock_timestamp() RETURNING node.announced INTO v_announced;
  v_alive := FOUND;
  SELECT r.settled, r.since INTO v_settled, v_since FROM ftpsd.run r;
  IF NOT v_settled THEN
    IF NOT EXISTS (
      SELECT FROM ftpsd.node n WHERE n.announced IS DISTINCT FROM v_run
        AND (n.expires_at > clock_timestamp() OR v_since > clock_timestamp() - interval '4 s')
    ) THEN
      UPDATE ftpsd.run r SET settled = true WHERE r.id = v_run;
      v_settled := true;
    END IF;
    RETURN QUERY SELECT v_alive, v_run, v_announced IS NOT DISTINCT FROM v_run, v_settled;
    RETURN;
  END IF;
  SELECT array_agg(id) INTO v_dead FROM (
    SELECT id FROM ftpsd.node WHERE expires_at < clock_timestamp() - interval '10 s' FOR UPDATE SKIP LOCKED
  ) AS dead;
  IF v_dead IS NOT NULL THEN
    DELETE FROM ftpsd.hold WHERE node = ANY (v_dead);
    DELETE FROM ftpsd.node WHERE id = ANY (v_dead);
  END IF;
  RETURN QUERY SELECT v_alive, v_run, v_announced IS NOT DISTINCT FROM v_run, v_settled;
END $$;

CREATE FUNCTION ftpsd.node_leave(p_node uuid) RETURNS void LANGUAGE sql AS $$
  DELETE FROM ftpsd.hold WHERE node = p_node;
  DELETE FROM ftpsd.duty WHERE node = p_node;
  DELETE FROM ftpsd.node WHERE id = p_node;
$$;

-- Why nothing can be given to a node now; null when it can.
CREATE FUNCTION ftpsd.obstacle(p_node uuid) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM ftpsd.run WHERE settled) THEN RETURN 'unsettled'; END IF;
  IF NOT EXISTS (SELECT FROM ftpsd.node WHERE id = p_node AND expires_at > clock_timestamp()) THEN RETURN 'fenced'; END IF;
  RETURN NULL;
END $$;

-- Forgets what nobody needs any more; returns whether there is more of it. One at a time is enough.
CREATE FUNCTION ftpsd.tidy(p_window_s double precision) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE v_most int := 0; v_count int; v_table text; v_condition text;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended('tidy', 0)) THEN RETURN false; END IF;
  FOR v_table, v_condition IN VALUES
    ('failure', 'at < clock_timestamp() - $1 * interval ''1 s'''),
    ('ban', 'until < clock_timestamp()'),
    ('event', 'at < clock_timestamp() - interval ''10 min'''),
    ('record', 'expires_at < clock_timestamp()'),
    ('quota_change', 'lost_at < clock_timestamp() - interval ''1 day'''),
    ('hold', 'NOT EXISTS (SELECT FROM ftpsd.node n WHERE n.id = it.node)')
  LOOP
    EXECUTE format('DELETE FROM ftpsd.%1$I WHERE ctid = ANY (ARRAY(SELECT ctid FROM ftpsd.%1$I it WHERE %2$s LIMIT 10000))',
      v_table, v_condition) USING p_window_s;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    v_most := greatest(v_most, v_count);
  END LOOP;
  RETURN v_most = 10000;
END $$;

-- One node does it, until it says so no more.
CREATE FUNCTION ftpsd.duty_take(p_node uuid, p_name text, p_ms double precision) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF ftpsd.obstacle(p_node) IS NOT NULL THEN RETURN false; END IF;
  INSERT INTO ftpsd.duty AS d (name, node, expires_at)
    VALUES (p_name, p_node, clock_timestamp() + p_ms * interval '1 ms')
    ON CONFLICT (name) DO UPDATE SET node = excluded.node, expires_at = excluded.expires_at
    WHERE d.node = p_node OR d.expires_at < clock_timestamp()
      OR NOT EXISTS (SELECT FROM ftpsd.node n WHERE n.id = d.node AND n.expires_at > clock_timestamp());
  RETURN FOUND;
END $$;
`;

const HOLDS = `
-- Takes one more of a kind under a key, where fewer than the limit are held; 0: no limit. One lock a call, so none waits for two.
CREATE FUNCTION ftpsd.hold_take(p_node uuid, p_id bigint, p_kind text, p_key text, p_limit bigint)
RETURNS text LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE v_answer text; v_count int;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(p_kind || ':' || p_key, 0));
  v_answer := ftpsd.obstacle(p_node); -- once it has the lock: it may have waited
  IF v_answer IS NULL AND p_limit > 0 THEN
    SELECT count(*) INTO v_count FROM ftpsd.hold h JOIN ftpsd.node n ON n.id = h.node
      WHERE h.kind = p_kind AND h.key = p_key AND n.expires_at > clock_timestamp();
    IF v_count >= p_limit THEN v_answer := 'full'; END IF;
  END IF;
  IF v_answer IS NULL THEN
    INSERT INTO ftpsd.hold (kind, key, node, id) VALUES (p_kind, p_key, p_node, p_id);
    v_answer := 'taken';
  END IF;
  RETURN v_answer;
END $$;

-- How many nodes have sessions of an account.
CREATE FUNCTION ftpsd.hold_nodes(p_kind text, p_keys text[]) RETURNS TABLE (key text, nodes int) LANGUAGE sql STABLE AS $$
  SELECT h.key, count(DISTINCT h.node)::int FROM ftpsd.hold h JOIN ftpsd.node n ON n.id = h.node
    WHERE h.kind = p_kind AND h.key = ANY (p_keys) AND n.expires_at > clock_timestamp() GROUP BY h.key
$$;

CREATE FUNCTION ftpsd.hold_release(p_node uuid, p_ids bigint[]) RETURNS void LANGUAGE sql AS $$
  DELETE FROM ftpsd.hold WHERE node = p_node AND id = ANY (p_ids)
$$;

-- Begins to check a password: it counts from now on. "wait": all failures that are left may come of those that are checked now.
CREATE FUNCTION ftpsd.attempt_begin(p_node uuid, p_id bigint, p_block text, p_failures int, p_window_s double precision)
RETURNS text LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE v_answer text; v_failures int; v_running int;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('attempt:' || p_block, 0));
  v_answer := ftpsd.obstacle(p_node);
  IF v_answer IS NOT NULL THEN RETURN v_answer; END IF;
  IF EXISTS (SELECT FROM ftpsd.ban WHERE block = p_block AND until > clock_timestamp()) THEN RETURN 'banned'; END IF;
  SELECT count(*) INTO v_failures FROM ftpsd.failure
    WHERE block = p_block AND at > clock_timestamp() - p_window_s * interval '1 s';
  SELECT count(*) INTO v_running FROM ftpsd.hold h JOIN ftpsd.node n ON n.id = h.node
    WHERE h.kind = 'attempt' AND h.key = p_block AND n.expires_at > clock_timestamp();
  IF v_running >= greatest(1, p_failures - v_failures) THEN RETURN 'wait'; END IF;
  INSERT INTO ftpsd.hold (kind, key, node, id) VALUES ('attempt', p_block, p_node, p_id);
  RETURN 'begun';
END $$;

-- Ends one as a failure, once, however often it is said.
CREATE FUNCTION ftpsd.attempt_fail(
  p_node uuid, p_id bigint, p_block text, p_failures int, p_window_s double precision, p_duration_s double precision
) RETURNS TABLE (banned boolean, seconds double precision) LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE v_failures int;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('attempt:' || p_block, 0));
  DELETE FROM ftpsd.hold WHERE node = p_node AND id = p_id;
  IF EXISTS (SELECT FROM ftpsd.ban WHERE block = p_block AND until > clock_timestamp()) THEN
    RETURN QUERY SELECT true, NULL::double precision;
    RETURN;
  END IF;
  INSERT INTO ftpsd.failure (block, node, id) VALUES (p_block, p_node, p_id) ON CONFLICT DO NOTHING;
  SELECT count(*) INTO v_failures FROM ftpsd.failure
    WHERE block = p_block AND at > clock_timestamp() - p_window_s * interval '1 s';
  IF v_failures < p_failures THEN
    RETURN QUERY SELECT false, NULL::double precision;
    RETURN;
  END IF;
  PERFORM ftpsd.ban_set(p_block, p_duration_s);
  RETURN QUERY SELECT true, p_duration_s;
END $$;

CREATE FUNCTION ftpsd.ban_set(p_block text, p_seconds double precision) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO ftpsd.ban (block, until) VALUES (p_block, clock_timestamp() + p_seconds * interval '1 s')
    ON CONFLICT (block) DO UPDATE SET until = excluded.until;
  DELETE FROM ftpsd.failure WHERE block = p_block;
  PERFORM ftpsd.emit('ban', p_block, p_seconds);
END $$;

CREATE FUNCTION ftpsd.ban_lift(p_block text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE v_found boolean;
BEGIN
  DELETE FROM ftpsd.ban WHERE block = p_block AND until > clock_timestamp();
  v_found := FOUND;
  DELETE FROM ftpsd.failure WHERE block = p_block;
  PERFORM ftpsd.emit('unban', p_block);
  RETURN v_found;
END $$;
`;

const ACCOUNTS = `
CREATE FUNCTION ftpsd.account_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN PERFORM ftpsd.emit('account', OLD.name); END IF;
  IF TG_OP <> 'DELETE' THEN PERFORM ftpsd.emit('account', NEW.name); END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER account_changed AFTER INSERT OR UPDATE OR DELETE ON ftpsd.account
  FOR EACH ROW EXECUTE FUNCTION ftpsd.account_changed();
`;

/** All versions, the first one at the beginning. */
export const SCHEMA_VERSIONS: readonly SchemaVersion[] = [
  { usableFrom: 1, sql: `${TABLES}${NODES}${HOLDS}${QUOTAS}${ACCOUNTS}` },
];
