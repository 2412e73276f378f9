-- room: delivery -----------------------------------------------------------------------------------------------------

-- In which trace an item was put here (W3C traceparent); null where none was recorded.
alter table outbox add traceparent text;
