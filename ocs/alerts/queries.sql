-- name: open_alert
-- purpose: opens an alert, or gives the one that is open for this store and cause the newest words where they differ
insert into alerts (tenant_id, store_id, cause, message)
values (%(tenant_id)s, %(store_id)s, %(cause)s, %(message)s)
on conflict (store_id, cause) where closed_at is null do update
   set message = excluded.message where alerts.message <> excluded.message
returning alert_id, xmax = 0 as is_new

-- name: close_alerts
-- purpose: closes a store's open alerts of the given causes
update alerts set closed_at = now()
 where store_id = %(store_id)s and cause = any(%(causes)s) and closed_at is null
