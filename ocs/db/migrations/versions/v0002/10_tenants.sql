-- room: tenants ------------------------------------------------------------------------------------------------------

alter table tenants add parking_warnings text[] not null default '{}';  -- warnings for which a line waits for a person

alter table stores
    add snapshot_at      time not null default '01:00',    -- local: when the position of the day before is made
    add hourly_positions boolean not null default false,   -- for tests in UAT: a position of every full hour too
    add anchored_at      timestamptz,                      -- when its first position was accepted; events wait for it
    add counted_from     timestamptz;                      -- the instant of that position; null: another POS reported it
update stores set anchored_at = created_at;                -- those that are there report already

create or replace view reporting_stores as
select s.store_id, s.tenant_id, s.connection_id, t.crol, s.crsa, s.name, s.time_zone, s.pos_vendor, s.pos_vendor_version,
       s.hash_key_name, s.reporting, c.environment, c.base_url, c.token_url, c.scope, c.client_id, c.client_secret_name,
       c.concurrent_calls, c.process_on_field, s.snapshot_at, s.hourly_positions, s.anchored_at, s.counted_from,
       t.parking_warnings, s.created_at
  from stores s
  join tenants t using (tenant_id)
  join connections c using (connection_id);
