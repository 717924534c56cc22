/**
 * The tables and functions of quotas, part of version 1 of the schema.
 *
 * These tables are logged, unlike those of places: a count that a crash had emptied could not be made by asking the nodes. Each
 * function locks the rows of its names first, in their order, so that none waits for another in a circle.
 *
 * @module
 */

/** What is added to the schema. */
export const QUOTAS = `
-- What is stored under a name, once somebody has counted it (counted), and what changes that are under way may add.
CREATE TABLE ftpsd.quota (
  name text PRIMARY KEY,
  bytes bigint NOT NULL DEFAULT 0,
  files bigint NOT NULL DEFAULT 0,
  reserved_bytes bigint NOT NULL DEFAULT 0,
  reserved_files bigint NOT NULL DEFAULT 0,
  changes int NOT NULL DEFAULT 0,
  counted boolean NOT NULL DEFAULT false,
  stale boolean NOT NULL DEFAULT false, -- it is to be counted anew, once no change is under way
  counter uuid, -- the run of a node that counts
  counter_id bigint
) WITH (fillfactor = 50);
-- Changes that are under way. The process (owner) is the same in all runs of a node. One of a node that is gone counts as stored
-- from lost_at on, since nobody knows what has come of it; it is kept so that its late end is known for one.
CREATE TABLE ftpsd.quota_change (
  owner uuid NOT NULL,
  id bigint NOT NULL,
  node uuid NOT NULL,
  names text[] NOT NULL,
  bytes bigint NOT NULL,
  files int NOT NULL,
  lost_at timestamptz,
  PRIMARY KEY (owner, id)
) WITH (fillfactor = 50);

CREATE FUNCTION ftpsd.is_alive(p_node uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM ftpsd.node WHERE id = p_node AND expires_at > clock_timestamp())
$$;

-- Reserves under all names or under none: what is asked for, and up to p_ahead bytes beyond it, but no more than a 64th of what is
-- left, and none where that is little. A change that is there grows, though its names are to be counted anew.
-- Refusals name the place of a name, from 1 on, and say whether other changes have reserved bytes.
CREATE FUNCTION ftpsd.quota_reserve(
  p_owner uuid, p_node uuid, p_id bigint, p_names text[], p_max_bytes bigint[], p_max_files bigint[],
  p_bytes bigint, p_files int, p_ahead bigint, p_is_new boolean
) RETURNS TABLE (answer text, place int, others boolean, granted bigint) LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
#variable_conflict use_column
DECLARE v_own bigint := 0; v_ahead bigint;
BEGIN
  PERFORM 1 FROM ftpsd.quota WHERE name = ANY (p_names) ORDER BY name FOR UPDATE;
  answer := ftpsd.obstacle(p_node); -- once it has the locks: it may have waited
  IF answer IS NOT NULL THEN RETURN NEXT; RETURN; END IF;
  IF p_is_new THEN
    SELECT 'uncounted', l.place INTO answer, place
      FROM unnest(p_names) WITH ORDINALITY AS l (name, place) LEFT JOIN ftpsd.quota q ON q.name = l.name
      WHERE q.name IS NULL OR NOT q.counted OR (q.stale AND q.changes = 0) ORDER BY l.place LIMIT 1;
    IF FOUND THEN RETURN NEXT; RETURN; END IF;
  ELSE
    SELECT bytes INTO v_own FROM ftpsd.quota_change WHERE owner = p_owner AND id = p_id AND lost_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN answer := 'lost'; RETURN NEXT; RETURN; END IF;
  END IF;
  SELECT CASE WHEN m.files_over THEN 'files' ELSE 'bytes' END, m.place, m.reserved_bytes > v_own INTO answer, place, others
    FROM (
      SELECT l.place, q.reserved_bytes,
        p_files > 0 AND l.max_files > 0 AND q.files + q.reserved_files + p_files > l.max_files AS files_over,
        p_bytes > 0 AND l.max_bytes > 0 AND q.bytes + q.reserved_bytes + p_bytes > l.max_bytes AS bytes_over
      FROM unnest(p_names, p_max_bytes, p_max_files) WITH ORDINALITY AS l (name, max_bytes, max_files, place)
      JOIN ftpsd.quota q ON q.name = l.name
    ) AS m WHERE m.files_over OR m.bytes_over ORDER BY m.place LIMIT 1;
  IF FOUND THEN RETURN NEXT; RETURN; END IF;
  SELECT least(p_ahead, min((l.max_bytes - q.bytes - q.reserved_bytes - p_bytes) / 64) FILTER (WHERE l.max_bytes > 0))
    INTO v_ahead FROM unnest(p_names, p_max_bytes) AS l (name, max_bytes) JOIN ftpsd.quota q ON q.name = l.name;
  IF v_ahead < 65536 THEN v_ahead := 0; END IF;
  granted := p_bytes + v_ahead;
  UPDATE ftpsd.quota SET reserved_bytes = reserved_bytes + granted, reserved_files = reserved_files + p_files,
    changes = changes + p_is_new::int WHERE name = ANY (p_names);
  IF p_is_new THEN
    INSERT INTO ftpsd.quota_change (owner, id, node, names, bytes, files)
      VALUES (p_owner, p_id, p_node, p_names, granted, p_files);
  ELSE
    UPDATE ftpsd.quota_change SET bytes = bytes + granted WHERE owner = p_owner AND id = p_id;
  END IF;
  answer := 'granted';
  RETURN NEXT;
END $$;

-- Ends changes, each with what has come of it; one that has ended already is passed over.
CREATE FUNCTION ftpsd.quota_end(p_owner uuid, p_ids bigint[], p_bytes bigint[], p_files int[]) RETURNS void
LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE v record;
BEGIN
  PERFORM 1 FROM ftpsd.quota WHERE name IN (
    SELECT unnest(names) FROM ftpsd.quota_change WHERE owner = p_owner AND id = ANY (p_ids)
  ) ORDER BY name FOR UPDATE;
  FOR v IN DELETE FROM ftpsd.quota_change c USING unnest(p_ids, p_bytes, p_files) AS e (id, bytes, files)
    WHERE c.owner = p_owner AND c.id = e.id
    RETURNING c.names, c.bytes AS had_bytes, c.files AS had_files, c.lost_at, e.bytes, e.files
  LOOP
    IF v.lost_at IS NULL THEN
      UPDATE ftpsd.quota SET reserved_bytes = greatest(0, reserved_bytes - v.had_bytes),
        reserved_files = greatest(0, reserved_files - v.had_files), changes = greatest(0, changes - 1),
        bytes = greatest(0, bytes + v.bytes), files = greatest(0, files + v.files) WHERE name = ANY (v.names);
    ELSE
      -- It may have been counted since, or not.
      UPDATE ftpsd.quota SET bytes = bytes + greatest(0, v.bytes), files = files + greatest(0, v.files), stale = true
        WHERE name = ANY (v.names);
    END IF;
  END LOOP;
END $$;

-- Gives back bytes that were reserved ahead.
CREATE FUNCTION ftpsd.quota_trim(p_owner uuid, p_ids bigint[], p_bytes bigint[]) RETURNS void
LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE v record;
BEGIN
  PERFORM 1 FROM ftpsd.quota WHERE name IN (
    SELECT unnest(names) FROM ftpsd.quota_change WHERE owner = p_owner AND id = ANY (p_ids)
  ) ORDER BY name FOR UPDATE;
  FOR v IN UPDATE ftpsd.quota_change c SET bytes = greatest(0, c.bytes - e.bytes)
    FROM unnest(p_ids, p_bytes) AS e (id, bytes) WHERE c.owner = p_owner AND c.id = e.id AND c.lost_at IS NULL
    RETURNING c.names, e.bytes
  LOOP
    UPDATE ftpsd.quota SET reserved_bytes = greatest(0, reserved_bytes - v.bytes) WHERE name = ANY (v.names);
  END LOOP;
END $$;

-- Asks all nodes to give back what they have reserved ahead. Who hears it later has given back something by then, or has used it.
CREATE FUNCTION ftpsd.recall(p_name text) RETURNS void LANGUAGE sql AS $$
  SELECT pg_notify('ftpsd', json_build_object('kind', 'recall', 'subject', p_name)::text)
$$;

-- Lets changes of nodes that are gone count as stored, all that they had reserved, until it is counted anew.
CREATE FUNCTION ftpsd.quota_settle_lost() RETURNS void LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE v record; v_gone uuid[];
BEGIN
  SELECT array_agg(DISTINCT c.node) INTO v_gone FROM ftpsd.quota_change c
    WHERE c.lost_at IS NULL AND NOT EXISTS (SELECT FROM ftpsd.node n WHERE n.id = c.node);
  IF v_gone IS NULL THEN RETURN; END IF;
  PERFORM 1 FROM ftpsd.quota WHERE name IN (
    SELECT unnest(names) FROM ftpsd.quota_change WHERE node = ANY (v_gone) AND lost_at IS NULL
  ) ORDER BY name FOR UPDATE;
  FOR v IN UPDATE ftpsd.quota_change SET lost_at = clock_timestamp() WHERE node = ANY (v_gone) AND lost_at IS NULL
    RETURNING names, bytes, files
  LOOP
    UPDATE ftpsd.quota SET reserved_bytes = greatest(0, reserved_bytes - v.bytes),
      reserved_files = greatest(0, reserved_files - v.files), changes = greatest(0, changes - 1),
      bytes = bytes + v.bytes, files = files + v.files, stale = true WHERE name = ANY (v.names);
  END LOOP;
END $$;

-- Lets a node count what there is; no change begins meanwhile.
CREATE FUNCTION ftpsd.quota_count_begin(p_node uuid, p_id bigint, p_name text) RETURNS text
LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE v_answer text;
BEGIN
  INSERT INTO ftpsd.quota (name) VALUES (p_name) ON CONFLICT DO NOTHING;
  PERFORM 1 FROM ftpsd.quota WHERE name = p_name FOR UPDATE;
  v_answer := ftpsd.obstacle(p_node);
  IF v_answer IS NOT NULL THEN RETURN v_answer; END IF;
  UPDATE ftpsd.quota SET counter = p_node, counter_id = p_id, counted = false, stale = false
    WHERE name = p_name AND (NOT counted OR stale) AND changes = 0 AND (counter IS NULL OR NOT ftpsd.is_alive(counter));
  RETURN CASE WHEN FOUND THEN 'begun' ELSE 'no' END;
END $$;

-- Sets what there is, unless somebody else counts by now; without a number it stays uncounted.
CREATE FUNCTION ftpsd.quota_count_end(p_node uuid, p_id bigint, p_name text, p_bytes bigint, p_files bigint) RETURNS void
LANGUAGE sql AS $$
  UPDATE ftpsd.quota SET counter = NULL, counter_id = NULL, counted = p_bytes IS NOT NULL,
    bytes = coalesce(p_bytes, bytes), files = coalesce(p_files, files)
    WHERE name = p_name AND counter = p_node AND counter_id = p_id
$$;

-- Asks for counts to be made anew.
CREATE FUNCTION ftpsd.quota_recount(p_names text[]) RETURNS void LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
BEGIN
  PERFORM 1 FROM ftpsd.quota WHERE name = ANY (p_names) ORDER BY name FOR UPDATE;
  UPDATE ftpsd.quota SET stale = true WHERE name = ANY (p_names);
END $$;
`;
