-- name: breakers
-- purpose: how many connections have which breaker state
select state, count(*) as connections from connection_breakers group by state
