-- Distinct users by hour and one dimension. From rollup_hour they cost a merge of 2^14 registers for each cell of each
-- hour; here, for each value of the dimension. Behind users_hour: of projections that cost the same the first is taken.
-- In one statement: for each, ClickHouse looks through all projections there are.
ALTER TABLE nowcast.events ADD PROJECTION IF NOT EXISTS users_hour_device
(
  SELECT
    project, toStartOfHour(ts), cell_device,
    uniqCombined64State(14)(user_hash), uniqCombined64IfState(14)(session_hash, session_hash != 0)
  GROUP BY project, toStartOfHour(ts), cell_device
) AFTER users_hour,
ADD PROJECTION IF NOT EXISTS users_hour_category
(
  SELECT
    project, toStartOfHour(ts), cell_device = 'bot', cell_category,
    uniqCombined64State(14)(user_hash), uniqCombined64IfState(14)(session_hash, session_hash != 0)
  GROUP BY project, toStartOfHour(ts), cell_device = 'bot', cell_category
) AFTER users_hour,
ADD PROJECTION IF NOT EXISTS users_hour_hot1
(
  SELECT
    project, toStartOfHour(ts), cell_device = 'bot', hot1,
    uniqCombined64State(14)(user_hash), uniqCombined64IfState(14)(session_hash, session_hash != 0)
  GROUP BY project, toStartOfHour(ts), cell_device = 'bot', hot1
) AFTER users_hour,
ADD PROJECTION IF NOT EXISTS users_hour_country
(
  SELECT
    project, toStartOfHour(ts), cell_device = 'bot', cell_country,
    uniqCombined64State(14)(user_hash), uniqCombined64IfState(14)(session_hash, session_hash != 0)
  GROUP BY project, toStartOfHour(ts), cell_device = 'bot', cell_country
) AFTER users_hour,
ADD PROJECTION IF NOT EXISTS users_hour_name
(
  SELECT
    project, toStartOfHour(ts), cell_device = 'bot', cell_name,
    uniqCombined64State(14)(user_hash), uniqCombined64IfState(14)(session_hash, session_hash != 0)
  GROUP BY project, toStartOfHour(ts), cell_device = 'bot', cell_name
) AFTER users_hour;

-- Of what is there already they are made in the background.
ALTER TABLE nowcast.events
  MATERIALIZE PROJECTION users_hour_device,
  MATERIALIZE PROJECTION users_hour_category,
  MATERIALIZE PROJECTION users_hour_hot1,
  MATERIALIZE PROJECTION users_hour_country,
  MATERIALIZE PROJECTION users_hour_name;
