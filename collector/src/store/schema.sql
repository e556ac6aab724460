-- The collector's database, version 2.
--
-- Ids are 16 random bytes, times are microseconds since 1970 UTC, every table is STRICT. A row that holds
-- what a person wrote, saw or is called carries school, kind and expires_at and can be deleted by itself
-- (secure_delete overwrites it); what must outlive it (the event's digest, the audit chain) holds ids and
-- salted digests only. `position` and `seq` order rows and are never shown to anybody.

CREATE TABLE collector (
  one          INTEGER PRIMARY KEY CHECK (one = 1),
  generation   BLOB NOT NULL,             -- drawn at init and at every restore
  created_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE schools (
  school       BLOB PRIMARY KEY,
  name         TEXT NOT NULL,
  time_zone    TEXT NOT NULL,             -- IANA name, Europe/London
  created_at   INTEGER NOT NULL
) STRICT;

-- Every key but the root's, each wrapped by the root key.
CREATE TABLE keys (
  key          BLOB PRIMARY KEY,
  school       BLOB REFERENCES schools,   -- NULL: the collector's own
  kind         TEXT NOT NULL CHECK (kind IN ('issuing', 'server', 'hpke', 'policy', 'pseudonym', 'pack')),
  wrapped      BLOB NOT NULL,
  certificate  BLOB,                      -- of a CA or a listener: DER chain, length-prefixed
  created_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE trust_bundles (
  sha256       BLOB PRIMARY KEY,
  school       BLOB NOT NULL REFERENCES schools,
  serial       INTEGER NOT NULL,
  signed       BLOB NOT NULL,             -- SignedTrustBundle
  UNIQUE (school, serial)
) STRICT;

CREATE TABLE policies (
  school       BLOB NOT NULL REFERENCES schools,
  serial       INTEGER NOT NULL,
  signed       BLOB NOT NULL,             -- SignedPolicy
  issued_at    INTEGER NOT NULL,
  notice_version INTEGER NOT NULL,        -- of the notice that people are shown; 0: none is written
  PRIMARY KEY (school, serial)
) STRICT;

-- What the newest policy of a school leaves alone for a time, for those who must know of it.
CREATE TABLE exemptions (
  exemption    BLOB PRIMARY KEY,
  school       BLOB NOT NULL REFERENCES schools,
  kind         TEXT NOT NULL,
  expires_at   INTEGER NOT NULL,
  digest       BLOB NOT NULL,             -- SHA-256 of all it says: the same one in the next policy is not news
  reason       TEXT NOT NULL,
  from_at      INTEGER NOT NULL,
  until_at     INTEGER NOT NULL,
  accounts     TEXT NOT NULL,             -- JSON arrays
  categories   TEXT NOT NULL,
  rules        TEXT NOT NULL,
  phrases      TEXT NOT NULL,
  UNIQUE (school, digest)
) STRICT;

-- The asset log: which device is whose. What left it stays as a row without holder and addresses, so that an
-- old alert still says which device it was.
CREATE TABLE assets (
  asset        BLOB PRIMARY KEY,          -- kept over imports for as long as its tag stands in the log
  school       BLOB NOT NULL REFERENCES schools,
  asset_tag    TEXT NOT NULL,
  serial_number TEXT,                     -- in upper case, as it is compared
  sort         TEXT NOT NULL,             -- laptop, ipad, …
  shared       INTEGER NOT NULL,          -- 1: several people use it
  retired_at   INTEGER,
  UNIQUE (school, asset_tag)
) STRICT;
CREATE UNIQUE INDEX assets_by_serial ON assets (school, serial_number) WHERE retired_at IS NULL;

CREATE TABLE asset_addresses (
  school       BLOB NOT NULL,
  mac          TEXT NOT NULL,             -- 02:00:5e:00:53:01
  asset        BLOB NOT NULL REFERENCES assets,
  PRIMARY KEY (school, mac)
) STRICT, WITHOUT ROWID;

CREATE TABLE asset_holders (
  asset        BLOB PRIMARY KEY REFERENCES assets,
  school       BLOB NOT NULL,
  kind         TEXT NOT NULL,
  expires_at   INTEGER NOT NULL,
  authority    TEXT NOT NULL,
  account      TEXT NOT NULL
) STRICT;

-- Devices behind a proxy or a name server that the asset log does not know; no content, no browsing.
CREATE TABLE unknown_devices (
  unknown      BLOB PRIMARY KEY,
  school       BLOB NOT NULL REFERENCES schools,
  device       BLOB NOT NULL REFERENCES devices, -- the host whose log tells of it
  kind         TEXT NOT NULL,
  expires_at   INTEGER NOT NULL,
  known_as     TEXT NOT NULL,             -- its MAC, else its address, else nothing
  mac          TEXT NOT NULL,             -- empty: no lease told
  address      TEXT NOT NULL,             -- the last it had; empty: the log gives none
  last_at      INTEGER NOT NULL,          -- of any event; never shown to a technician
  listed_address TEXT NOT NULL,           -- the last it had in an ordinary request; as are the next three
  first_listed_at INTEGER,                -- NULL: not on a technician's list
  last_listed_at INTEGER,
  alarmed_on   TEXT NOT NULL,             -- the last day, by the school's clock, that raised an alarm
  UNIQUE (device, known_as)
) STRICT;
CREATE INDEX unknown_devices_by_school ON unknown_devices (school, last_listed_at);

CREATE TABLE tokens (
  token        BLOB PRIMARY KEY,
  school       BLOB NOT NULL REFERENCES schools,
  secret_sha256 BLOB NOT NULL UNIQUE,
  purpose      TEXT NOT NULL,             -- a technician's words: "Year 7 laptops"
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  uses_left    INTEGER NOT NULL,
  revoked_at   INTEGER
) STRICT;

CREATE TABLE devices (
  device       BLOB PRIMARY KEY,
  school       BLOB NOT NULL REFERENCES schools,
  token        BLOB NOT NULL REFERENCES tokens,
  public_key_sha256 BLOB NOT NULL,        -- of the SubjectPublicKeyInfo: the same key asks again, the same device answers
  status       TEXT NOT NULL CHECK (status IN ('pending', 'approved', 'revoked')),
  asset_tag    TEXT,
  host_name    TEXT NOT NULL,
  serial_number TEXT NOT NULL,
  platform     TEXT NOT NULL,
  os_version   TEXT NOT NULL,
  agent_version TEXT NOT NULL,
  enrolled_at  INTEGER NOT NULL,
  decided_at   INTEGER,                   -- approved or revoked
  last_seen_at INTEGER,
  skew_micros  INTEGER NOT NULL DEFAULT 0, -- device's clock minus ours, estimated at its last connect
  forked_at    INTEGER,                   -- two successors of one run were seen: a cloned disk
  policy_serial INTEGER NOT NULL DEFAULT 0,
  spooled_events INTEGER NOT NULL DEFAULT 0,
  lost_events  INTEGER NOT NULL DEFAULT 0,
  dead_letters INTEGER NOT NULL DEFAULT 0,
  health_at    INTEGER,
  UNIQUE (token, public_key_sha256)
) STRICT;
CREATE INDEX devices_by_school ON devices (school);

CREATE TABLE certificates (
  serial       BLOB PRIMARY KEY,
  device       BLOB REFERENCES devices,
  reader       BLOB REFERENCES readers,
  issued_at    INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  revoked_at   INTEGER
) STRICT;
CREATE INDEX certificates_by_device ON certificates (device);

CREATE TABLE device_runs (
  device       BLOB NOT NULL REFERENCES devices,
  run          BLOB NOT NULL,
  previous_run BLOB NOT NULL,             -- empty at an installation's first
  connected_at INTEGER NOT NULL,
  PRIMARY KEY (device, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX device_runs_by_previous ON device_runs (device, previous_run);

CREATE TABLE device_coverage (
  device       BLOB NOT NULL REFERENCES devices,
  source       TEXT NOT NULL,
  input        TEXT NOT NULL,
  state        INTEGER NOT NULL,          -- CoverageState
  reason       TEXT NOT NULL,
  reported_at  INTEGER NOT NULL,
  PRIMARY KEY (device, source, input)
) STRICT, WITHOUT ROWID;

CREATE TABLE epochs (
  device       BLOB NOT NULL REFERENCES devices,
  epoch        BLOB NOT NULL,
  key          BLOB NOT NULL,             -- EpochKey, as announced first
  announced_at INTEGER NOT NULL,
  PRIMARY KEY (device, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE marks (
  device       BLOB NOT NULL,
  epoch        BLOB NOT NULL,
  lane         INTEGER NOT NULL,
  high_water   INTEGER NOT NULL,          -- the highest sequence in the log
  forgotten    INTEGER NOT NULL DEFAULT 0, -- sequences up to this one are older than retention
  PRIMARY KEY (device, epoch, lane)
) STRICT, WITHOUT ROWID;

-- The event log: everything behind ingest is a cursor over it.
CREATE TABLE events (
  position     INTEGER PRIMARY KEY AUTOINCREMENT,
  school       BLOB NOT NULL,
  device       BLOB NOT NULL,
  epoch        BLOB NOT NULL,
  lane         INTEGER NOT NULL,
  sequence     INTEGER NOT NULL,
  digest       BLOB NOT NULL,             -- SHA-256 of the sealed payload
  received_at  INTEGER NOT NULL,
  skew_micros  INTEGER NOT NULL,
  verified     INTEGER NOT NULL,          -- 0: the device was pending
  forked       INTEGER NOT NULL,          -- 1: the device was a known clone
  conflict     INTEGER NOT NULL,          -- 1: the identity had been used for another payload
  UNIQUE (device, epoch, lane, sequence, digest)
) STRICT;

CREATE TABLE event_contents (
  position     INTEGER PRIMARY KEY REFERENCES events,
  school       BLOB NOT NULL,
  kind         TEXT NOT NULL,
  expires_at   INTEGER NOT NULL,
  sealed       BLOB NOT NULL
) STRICT;
CREATE INDEX event_contents_by_expiry ON event_contents (expires_at);

-- Cursors over the log, and what they could not digest.
CREATE TABLE cursors (
  cursor       TEXT PRIMARY KEY,
  position     INTEGER NOT NULL,
  failures     INTEGER NOT NULL DEFAULT 0 -- at the position after this one
) STRICT, WITHOUT ROWID;

CREATE TABLE parked (
  cursor       TEXT NOT NULL,
  position     INTEGER NOT NULL,
  school       BLOB NOT NULL,
  device       BLOB NOT NULL,
  reason       TEXT NOT NULL,             -- which check failed; never content
  parked_at    INTEGER NOT NULL,
  PRIMARY KEY (cursor, position)
) STRICT, WITHOUT ROWID;

-- What a technician must see to: content-free.
CREATE TABLE alarms (
  alarm        BLOB PRIMARY KEY,
  school       BLOB NOT NULL,
  device       BLOB,
  kind         TEXT NOT NULL,             -- parked_event, conflict, clone, events_lost, …
  count        INTEGER NOT NULL,
  first_at     INTEGER NOT NULL,
  last_at      INTEGER NOT NULL,
  resolved_at  INTEGER
) STRICT;
CREATE INDEX alarms_by_school ON alarms (school, resolved_at);

CREATE TABLE persons (
  person       BLOB PRIMARY KEY,
  school       BLOB NOT NULL REFERENCES schools,
  created_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE person_names (
  person       BLOB NOT NULL REFERENCES persons,
  school       BLOB NOT NULL,
  kind         TEXT NOT NULL CHECK (kind IN ('account', 'name')),
  expires_at   INTEGER NOT NULL,
  value        TEXT NOT NULL,             -- an account in lower case
  PRIMARY KEY (person, kind, value)
) STRICT;
CREATE UNIQUE INDEX person_names_by_account ON person_names (school, value) WHERE kind = 'account';

-- What triage read out of events without a match, for the browsing around an alert.
CREATE TABLE visits (
  position     INTEGER PRIMARY KEY REFERENCES events,
  school       BLOB NOT NULL,
  device       BLOB NOT NULL,
  person       BLOB,
  kind         TEXT NOT NULL,
  expires_at   INTEGER NOT NULL,
  occurred_at  INTEGER NOT NULL,          -- corrected for the device's skew
  client       BLOB,                      -- behind the device, a proxy's host: an asset or an unknown device
  address      TEXT NOT NULL
) STRICT;
CREATE INDEX visits_by_device ON visits (device, occurred_at);

-- Programs and media without a match, for the weekly summary.
CREATE TABLE sightings (
  position     INTEGER PRIMARY KEY REFERENCES events,
  school       BLOB NOT NULL,
  device       BLOB NOT NULL,
  person       BLOB,
  basis        TEXT NOT NULL,
  kind         TEXT NOT NULL,             -- program, medium
  expires_at   INTEGER NOT NULL,
  occurred_at  INTEGER NOT NULL,          -- corrected
  list         TEXT NOT NULL,             -- bypass, remote_control, denied, other; media: allowed, not_allowed
  name         TEXT NOT NULL
) STRICT;
CREATE INDEX sightings_by_school ON sightings (school, occurred_at);

-- Blocked requests of which only the number is wanted. Of nobody.
CREATE TABLE filter_counts (
  position     INTEGER NOT NULL REFERENCES events,
  category     TEXT NOT NULL,             -- the filter's; empty: none, or too many to name
  school       BLOB NOT NULL,
  device       BLOB NOT NULL,
  kind         TEXT NOT NULL,
  expires_at   INTEGER NOT NULL,
  day          TEXT NOT NULL,             -- by the school's clock
  count        INTEGER NOT NULL,
  PRIMARY KEY (position, category)
) STRICT, WITHOUT ROWID;
CREATE INDEX filter_counts_by_day ON filter_counts (school, day);

-- Who was shown what is collected, and when first.
CREATE TABLE notices_shown (
  school       BLOB NOT NULL REFERENCES schools,
  person       BLOB NOT NULL,             -- empty: nothing says who it was
  device       BLOB NOT NULL REFERENCES devices,
  version      INTEGER NOT NULL,
  audience     TEXT NOT NULL,
  kind         TEXT NOT NULL,
  expires_at   INTEGER NOT NULL,
  basis        TEXT NOT NULL,
  at           INTEGER NOT NULL,
  PRIMARY KEY (school, version, audience, person, device)
) STRICT, WITHOUT ROWID;

CREATE TABLE alerts (
  alert        BLOB PRIMARY KEY,
  school       BLOB NOT NULL REFERENCES schools,
  person       BLOB REFERENCES persons,   -- NULL: nobody is known
  device       BLOB NOT NULL REFERENCES devices,
  client       BLOB,                      -- behind the device, a proxy's host: an asset or an unknown device
  folded_by    BLOB NOT NULL,             -- the person, else the client, else the device
  category     TEXT NOT NULL,
  window_start INTEGER NOT NULL,          -- corrected occurrence of the event that opened it
  basis        TEXT NOT NULL,             -- signed_in, allocated_device, proxy_user, address_lease, shared_login, unknown
  severity     INTEGER NOT NULL CHECK (severity BETWEEN 1 AND 5),
  priority     INTEGER NOT NULL,
  factors      TEXT NOT NULL,             -- JSON: [{"label": …, "points": …}]; no content
  status       TEXT NOT NULL CHECK (status IN ('open', 'acknowledged', 'closed')),
  verified     INTEGER NOT NULL,
  first_occurred_at INTEGER NOT NULL,
  last_occurred_at INTEGER NOT NULL,
  received_at  INTEGER NOT NULL,          -- of its first event
  last_received_at INTEGER NOT NULL,
  event_count  INTEGER NOT NULL,
  acknowledged_by BLOB, acknowledged_at INTEGER,
  closed_by    BLOB, closed_at INTEGER,
  disposition  TEXT,
  UNIQUE (school, folded_by, category, window_start)
) STRICT;
CREATE INDEX alerts_by_queue ON alerts (school, status, priority DESC);
CREATE INDEX alerts_by_person ON alerts (person);
CREATE INDEX alerts_by_fold ON alerts (school, folded_by, category, last_occurred_at);

-- Who may see an alert: persons, never roles; whoever it is about is not among them.
CREATE TABLE alert_viewers (
  alert        BLOB NOT NULL REFERENCES alerts,
  user         BLOB NOT NULL REFERENCES users,
  PRIMARY KEY (user, alert)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_viewers_by_alert ON alert_viewers (alert);

CREATE TABLE alert_events (
  alert        BLOB NOT NULL REFERENCES alerts,
  position     INTEGER NOT NULL REFERENCES events,
  occurred_at  INTEGER NOT NULL,          -- corrected
  received_at  INTEGER NOT NULL,
  severity     INTEGER NOT NULL,
  PRIMARY KEY (alert, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_events_by_position ON alert_events (position);

CREATE TABLE alert_contents (
  alert        BLOB NOT NULL REFERENCES alerts,
  position     INTEGER NOT NULL,          -- of its event; 0: the words with which it was closed
  school       BLOB NOT NULL,
  kind         TEXT NOT NULL,
  expires_at   INTEGER NOT NULL,
  content      BLOB NOT NULL,             -- EventPayload; UTF-8 for position 0
  PRIMARY KEY (alert, position)
) STRICT;

-- The change log that feed and console follow.
CREATE TABLE changes (
  seq          INTEGER PRIMARY KEY AUTOINCREMENT,
  cursor       BLOB NOT NULL UNIQUE,      -- random: what a reader sees of seq
  school       BLOB NOT NULL,
  alert        BLOB NOT NULL,
  kind         INTEGER NOT NULL,          -- ChangeKind
  at           INTEGER NOT NULL
) STRICT;
CREATE INDEX changes_by_school ON changes (school, seq);

CREATE TABLE readers (
  reader       BLOB PRIMARY KEY,
  name         TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  place        INTEGER NOT NULL DEFAULT 0 -- seq up to which it has acknowledged
) STRICT;

CREATE TABLE reader_schools (
  reader       BLOB NOT NULL REFERENCES readers,
  school       BLOB NOT NULL REFERENCES schools,
  PRIMARY KEY (reader, school)
) STRICT, WITHOUT ROWID;

CREATE TABLE assessments (
  assessment   BLOB PRIMARY KEY,
  reader       BLOB NOT NULL REFERENCES readers,
  alert        BLOB NOT NULL REFERENCES alerts,
  grade        INTEGER NOT NULL CHECK (grade BETWEEN 1 AND 5),
  school_called INTEGER NOT NULL,
  at           INTEGER NOT NULL
) STRICT;
CREATE INDEX assessments_by_alert ON assessments (alert);

CREATE TABLE assessment_notes (
  assessment   BLOB PRIMARY KEY REFERENCES assessments,
  school       BLOB NOT NULL,
  kind         TEXT NOT NULL,
  expires_at   INTEGER NOT NULL,
  note         TEXT NOT NULL
) STRICT;

CREATE TABLE users (
  user         BLOB PRIMARY KEY,
  school       BLOB NOT NULL REFERENCES schools,
  role         TEXT NOT NULL CHECK (role IN ('dsl', 'technician')),
  name         TEXT NOT NULL,             -- as on screen; also what alerts are held against
  email        TEXT NOT NULL UNIQUE,      -- lower case
  password     TEXT NOT NULL,             -- PHC string, argon2id
  status       TEXT NOT NULL CHECK (status IN ('pending', 'active', 'disabled')),
  created_at   INTEGER NOT NULL,
  approved_by  BLOB REFERENCES users,
  failed_sign_ins INTEGER NOT NULL DEFAULT 0, -- from networks not known as theirs
  locked_until INTEGER
) STRICT;
CREATE INDEX users_by_school ON users (school);

-- From where somebody has tried to sign in within a month: failures elsewhere do not lock them out there.
CREATE TABLE sign_in_networks (
  user         BLOB NOT NULL REFERENCES users,
  network      TEXT NOT NULL,             -- an IPv4 address or an IPv6 /64; empty: not known
  failures     INTEGER NOT NULL,          -- in a row
  locked_until INTEGER,
  tried_at     INTEGER NOT NULL,          -- the latest attempt
  signed_in_at INTEGER,                   -- the latest that succeeded
  PRIMARY KEY (user, network)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
  token_sha256 BLOB PRIMARY KEY,
  user         BLOB NOT NULL REFERENCES users,
  csrf         BLOB NOT NULL,
  created_at   INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user);

-- What somebody must be told at the next sign-in: a role granted, for instance.
CREATE TABLE notices (
  notice       BLOB PRIMARY KEY,
  school       BLOB NOT NULL,
  user         BLOB NOT NULL REFERENCES users,
  kind         TEXT NOT NULL,             -- role_granted, role_approved, …
  subject      BLOB,
  at           INTEGER NOT NULL,
  read_at      INTEGER
) STRICT;
CREATE INDEX notices_by_user ON notices (user, read_at);

CREATE TABLE audit (
  seq          INTEGER PRIMARY KEY,       -- 1, 2, 3 …
  at           INTEGER NOT NULL,
  school       BLOB,
  actor        TEXT NOT NULL,             -- user:<id>, reader:<id>, device:<id>, command_line, system
  action       TEXT NOT NULL,
  subject      BLOB,
  digest       BLOB,                      -- SHA-256(salt || detail)
  hash         BLOB NOT NULL
) STRICT;

CREATE TABLE audit_details (
  seq          INTEGER PRIMARY KEY REFERENCES audit,
  school       BLOB,
  kind         TEXT NOT NULL,
  expires_at   INTEGER NOT NULL,
  salt         BLOB NOT NULL,
  detail       TEXT NOT NULL
) STRICT;
