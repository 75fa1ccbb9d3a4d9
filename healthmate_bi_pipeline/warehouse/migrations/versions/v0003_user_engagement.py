"""The user engagement family: rows per person and period, groups, cohorts, retention, and the views over them."""
# ruff: noqa: E501 - a comment is one line

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = """\
CREATE TABLE bi_user_engagement_rows (
    user_id BIGINT NOT NULL,
    aggregation_period TEXT NOT NULL,
    period_start TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    period_end TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    date DATE NOT NULL,
    hours_covered DOUBLE PRECISION,
    has_user_record BOOLEAN NOT NULL,
    login_count BIGINT,
    total_sessions BIGINT,
    timed_sessions BIGINT,
    session_duration_minutes DOUBLE PRECISION,
    avg_session_duration_minutes DOUBLE PRECISION,
    time_spent_in_app_minutes DOUBLE PRECISION,
    features_used TEXT[],
    features_used_count BIGINT,
    features_adopted_count BIGINT,
    feature_uses BIGINT,
    pages_visited TEXT[],
    pages_visited_count BIGINT,
    page_views BIGINT,
    actions_performed BIGINT,
    chat_messages_sent BIGINT,
    notifications_received BIGINT,
    notifications_opened BIGINT,
    health_data_points_added DOUBLE PRECISION,
    health_data_entries BIGINT,
    medication_logs BIGINT,
    symptom_logs BIGINT,
    goal_achievements BIGINT,
    active_hours BIGINT,
    active_days BIGINT,
    was_active_before BOOLEAN,
    click_depth_index DOUBLE PRECISION,
    recency_index DOUBLE PRECISION,
    loyalty_index DOUBLE PRECISION,
    interaction_index DOUBLE PRECISION,
    engagement_score_components BIGINT,
    engagement_score DOUBLE PRECISION,
    is_complete BOOLEAN NOT NULL,
    state_version BIGINT NOT NULL,
    registry_version BIGINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT bi_user_engagement_rows_pkey PRIMARY KEY (user_id, aggregation_period, period_start)
)
 PARTITION BY LIST (aggregation_period);

CREATE INDEX bi_user_engagement_rows_period_start ON bi_user_engagement_rows (period_start);

CREATE TABLE bi_user_engagement_rows_hourly PARTITION OF bi_user_engagement_rows
    FOR VALUES IN ('hourly');

CREATE TABLE bi_user_engagement_rows_daily PARTITION OF bi_user_engagement_rows
    FOR VALUES IN ('daily');

CREATE TABLE bi_user_engagement_rows_weekly PARTITION OF bi_user_engagement_rows
    FOR VALUES IN ('weekly');

CREATE TABLE bi_user_engagement_rows_monthly PARTITION OF bi_user_engagement_rows
    FOR VALUES IN ('monthly');

CREATE TABLE bi_user_engagement_rows_quarterly PARTITION OF bi_user_engagement_rows
    FOR VALUES IN ('quarterly');

CREATE TABLE bi_user_engagement_rows_yearly PARTITION OF bi_user_engagement_rows
    FOR VALUES IN ('yearly');

COMMENT ON TABLE bi_user_engagement_rows IS 'Engagement figures per person and period, without what looks back; read bi_user_engagement_analytics instead.';

COMMENT ON COLUMN bi_user_engagement_rows.user_id IS 'The person.';

COMMENT ON COLUMN bi_user_engagement_rows.aggregation_period IS 'hourly, daily, weekly, monthly, quarterly or yearly.';

COMMENT ON COLUMN bi_user_engagement_rows.period_start IS 'Start of the period, wall-clock time of the person.';

COMMENT ON COLUMN bi_user_engagement_rows.period_end IS 'End of the period, exclusive, wall-clock time of the person.';

COMMENT ON COLUMN bi_user_engagement_rows.date IS 'The day that the period starts on.';

COMMENT ON COLUMN bi_user_engagement_rows.hours_covered IS 'Hours that really elapse in the period: 23 or 25 on the days of a clock change. [h]';

COMMENT ON COLUMN bi_user_engagement_rows.has_user_record IS 'The person has a record in users.';

COMMENT ON COLUMN bi_user_engagement_rows.login_count IS 'Logged sessions that began in the period. [1]';

COMMENT ON COLUMN bi_user_engagement_rows.total_sessions IS 'Sessions that began: as logged; on days of a person without one, made from deliberate events: 30 minutes without one, or midnight, end it. [1]';

COMMENT ON COLUMN bi_user_engagement_rows.timed_sessions IS 'Sessions that began in the period and whose length is known. [1]';

COMMENT ON COLUMN bi_user_engagement_rows.session_duration_minutes IS 'Whole length of the sessions that began in the period, where it is known. [min]';

COMMENT ON COLUMN bi_user_engagement_rows.avg_session_duration_minutes IS 'Mean length of the sessions that began in the period, where it is known. [min]';

COMMENT ON COLUMN bi_user_engagement_rows.time_spent_in_app_minutes IS 'Time of the period in which a session was open, cut at its ends; of several at once it counts once. [min]';

COMMENT ON COLUMN bi_user_engagement_rows.features_used IS 'The features used, by name.';

COMMENT ON COLUMN bi_user_engagement_rows.features_used_count IS 'How many different features were used. [1]';

COMMENT ON COLUMN bi_user_engagement_rows.features_adopted_count IS 'Features used on at least 2 days of the period. [1]';

COMMENT ON COLUMN bi_user_engagement_rows.feature_uses IS 'Uses of features. [1]';

COMMENT ON COLUMN bi_user_engagement_rows.pages_visited IS 'The pages visited, by name.';

COMMENT ON COLUMN bi_user_engagement_rows.pages_visited_count IS 'How many different pages were visited. [1]';

COMMENT ON COLUMN bi_user_engagement_rows.page_views IS 'Pages viewed. [1]';

COMMENT ON COLUMN bi_user_engagement_rows.actions_performed IS 'Actions performed. [1]';

COMMENT ON COLUMN bi_user_engagement_rows.chat_messages_sent IS 'Chat messages sent. [1]';

COMMENT ON COLUMN bi_user_engagement_rows.notifications_received IS 'Notifications that reached the person. [1]';

COMMENT ON COLUMN bi_user_engagement_rows.notifications_opened IS 'Notifications opened. [1]';

COMMENT ON COLUMN bi_user_engagement_rows.health_data_points_added IS 'Data points that entries of health data added. [1]';

COMMENT ON COLUMN bi_user_engagement_rows.health_data_entries IS 'Entries of health data in the app. [1]';

COMMENT ON COLUMN bi_user_engagement_rows.medication_logs IS 'Medications logged in the app. [1]';

COMMENT ON COLUMN bi_user_engagement_rows.symptom_logs IS 'Symptoms logged in the app. [1]';

COMMENT ON COLUMN bi_user_engagement_rows.goal_achievements IS 'Goals achieved. [1]';

COMMENT ON COLUMN bi_user_engagement_rows.active_hours IS 'Wall-clock hours with an open session or a deliberate event. [h]';

COMMENT ON COLUMN bi_user_engagement_rows.active_days IS 'Days with an open session or a deliberate event. [d]';

COMMENT ON COLUMN bi_user_engagement_rows.was_active_before IS 'Whether the person was active in the period before.';

COMMENT ON COLUMN bi_user_engagement_rows.click_depth_index IS 'Ci: share of the sessions that began with at least 3 page views; where pages were viewed. [1]';

COMMENT ON COLUMN bi_user_engagement_rows.recency_index IS 'Ri: 1 / (1 + days from the last session to the last day of the period). [1]';

COMMENT ON COLUMN bi_user_engagement_rows.loyalty_index IS 'Li: 1 - 1 / sessions that began. [1]';

COMMENT ON COLUMN bi_user_engagement_rows.interaction_index IS 'Ii: notifications opened / received, no more than 1; where some were received. [1]';

COMMENT ON COLUMN bi_user_engagement_rows.engagement_score_components IS 'How many of the 4 sub-indices there are: Ci, Ri, Li, Ii. [1]';

COMMENT ON COLUMN bi_user_engagement_rows.engagement_score IS '100 x the mean of the sub-indices that there are. Use is not benefit. [1]';

COMMENT ON COLUMN bi_user_engagement_rows.is_complete IS 'The period has ended and late data are no longer waited for.';

COMMENT ON COLUMN bi_user_engagement_rows.state_version IS 'Hash of the state that the row was made from.';

COMMENT ON COLUMN bi_user_engagement_rows.registry_version IS 'Version of the definitions that the row follows.';

COMMENT ON COLUMN bi_user_engagement_rows.created_at IS 'When the row was first written.';

COMMENT ON COLUMN bi_user_engagement_rows.updated_at IS 'When a figure of the row last changed.';

CREATE TABLE bi_engagement_starts (
    user_id BIGSERIAL NOT NULL,
    first_active_on DATE NOT NULL,
    CONSTRAINT bi_engagement_starts_pkey PRIMARY KEY (user_id)
);

COMMENT ON TABLE bi_engagement_starts IS 'The first day on which each person was active in the app.';

COMMENT ON COLUMN bi_engagement_starts.user_id IS 'The person.';

COMMENT ON COLUMN bi_engagement_starts.first_active_on IS 'The first wall-clock day.';

CREATE TABLE bi_engagement_features (
    feature TEXT NOT NULL,
    first_used_on DATE NOT NULL,
    CONSTRAINT bi_engagement_features_pkey PRIMARY KEY (feature)
);

COMMENT ON TABLE bi_engagement_features IS 'Every feature that anybody used, and the first day.';

COMMENT ON COLUMN bi_engagement_features.feature IS 'The feature.';

COMMENT ON COLUMN bi_engagement_features.first_used_on IS 'The first wall-clock day.';

CREATE TABLE bi_engagement_activity (
    aggregation_period TEXT NOT NULL,
    period_start TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    period_end TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    as_of DATE NOT NULL,
    people BIGINT NOT NULL,
    active_people BIGINT NOT NULL,
    mean_daily_active_people DOUBLE PRECISION,
    weekly_active_people BIGINT,
    monthly_active_people BIGINT,
    stickiness DOUBLE PRECISION,
    sessions BIGINT,
    time_spent_minutes DOUBLE PRECISION,
    is_complete BOOLEAN NOT NULL,
    state_version BIGINT NOT NULL,
    registry_version BIGINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT bi_engagement_activity_pkey PRIMARY KEY (aggregation_period, period_start)
);

COMMENT ON TABLE bi_engagement_activity IS 'How many people were active: in the period, on a day, and in the 7 and 28 days that end with its last day.';

COMMENT ON COLUMN bi_engagement_activity.aggregation_period IS 'hourly, daily, weekly, monthly, quarterly or yearly.';

COMMENT ON COLUMN bi_engagement_activity.period_start IS 'Start of the period, wall-clock time of the person.';

COMMENT ON COLUMN bi_engagement_activity.period_end IS 'End of the period, exclusive, wall-clock time of the person.';

COMMENT ON COLUMN bi_engagement_activity.as_of IS 'The day that trailing counts end with: the last of the period; of one that is not complete the last day with data.';

COMMENT ON COLUMN bi_engagement_activity.people IS 'People with a row. [1]';

COMMENT ON COLUMN bi_engagement_activity.active_people IS 'Different people who were active. [1]';

COMMENT ON COLUMN bi_engagement_activity.mean_daily_active_people IS 'DAU: active people per day, over the days up to as_of. [1]';

COMMENT ON COLUMN bi_engagement_activity.weekly_active_people IS 'WAU: different people active in the 7 days up to as_of. [1]';

COMMENT ON COLUMN bi_engagement_activity.monthly_active_people IS 'MAU: different people active in the 28 days up to as_of. [1]';

COMMENT ON COLUMN bi_engagement_activity.stickiness IS 'Mean DAU of the 28 days up to as_of divided by MAU. [1]';

COMMENT ON COLUMN bi_engagement_activity.sessions IS 'Sessions that began. [1]';

COMMENT ON COLUMN bi_engagement_activity.time_spent_minutes IS 'Time in which sessions were open, of all people. [min]';

COMMENT ON COLUMN bi_engagement_activity.is_complete IS 'The period has ended and late data are no longer waited for.';

COMMENT ON COLUMN bi_engagement_activity.state_version IS 'Hash of the state that the row was made from.';

COMMENT ON COLUMN bi_engagement_activity.registry_version IS 'Version of the definitions that the row follows.';

COMMENT ON COLUMN bi_engagement_activity.created_at IS 'When the row was first written.';

COMMENT ON COLUMN bi_engagement_activity.updated_at IS 'When a figure of the row last changed.';

CREATE TABLE bi_engagement_active_days (
    aggregation_period TEXT NOT NULL,
    period_start TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    period_end TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    window_days BIGINT NOT NULL,
    active_days BIGINT NOT NULL,
    people BIGINT NOT NULL,
    is_complete BOOLEAN NOT NULL,
    state_version BIGINT NOT NULL,
    registry_version BIGINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT bi_engagement_active_days_pkey PRIMARY KEY (aggregation_period, period_start, window_days, active_days)
);

COMMENT ON TABLE bi_engagement_active_days IS 'The L7 and L28 curves: how many people were active on exactly so many of the last 7 or 28 days of a period.';

COMMENT ON COLUMN bi_engagement_active_days.aggregation_period IS 'hourly, daily, weekly, monthly, quarterly or yearly.';

COMMENT ON COLUMN bi_engagement_active_days.period_start IS 'Start of the period, wall-clock time of the person.';

COMMENT ON COLUMN bi_engagement_active_days.period_end IS 'End of the period, exclusive, wall-clock time of the person.';

COMMENT ON COLUMN bi_engagement_active_days.window_days IS '7 or 28. [d]';

COMMENT ON COLUMN bi_engagement_active_days.active_days IS 'On how many of them, from 1. [d]';

COMMENT ON COLUMN bi_engagement_active_days.people IS 'People. [1]';

COMMENT ON COLUMN bi_engagement_active_days.is_complete IS 'The period has ended and late data are no longer waited for.';

COMMENT ON COLUMN bi_engagement_active_days.state_version IS 'Hash of the state that the row was made from.';

COMMENT ON COLUMN bi_engagement_active_days.registry_version IS 'Version of the definitions that the row follows.';

COMMENT ON COLUMN bi_engagement_active_days.created_at IS 'When the row was first written.';

COMMENT ON COLUMN bi_engagement_active_days.updated_at IS 'When a figure of the row last changed.';

CREATE TABLE bi_engagement_feature_use (
    aggregation_period TEXT NOT NULL,
    period_start TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    period_end TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    feature TEXT NOT NULL,
    people BIGINT NOT NULL,
    active_people BIGINT NOT NULL,
    reach DOUBLE PRECISION,
    uses BIGINT NOT NULL,
    uses_per_person DOUBLE PRECISION,
    adopters BIGINT,
    is_complete BOOLEAN NOT NULL,
    state_version BIGINT NOT NULL,
    registry_version BIGINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT bi_engagement_feature_use_pkey PRIMARY KEY (aggregation_period, period_start, feature)
);

COMMENT ON TABLE bi_engagement_feature_use IS 'Reach and depth of every feature that was used in a period.';

COMMENT ON COLUMN bi_engagement_feature_use.aggregation_period IS 'hourly, daily, weekly, monthly, quarterly or yearly.';

COMMENT ON COLUMN bi_engagement_feature_use.period_start IS 'Start of the period, wall-clock time of the person.';

COMMENT ON COLUMN bi_engagement_feature_use.period_end IS 'End of the period, exclusive, wall-clock time of the person.';

COMMENT ON COLUMN bi_engagement_feature_use.feature IS 'The feature.';

COMMENT ON COLUMN bi_engagement_feature_use.people IS 'Different people who used it. [1]';

COMMENT ON COLUMN bi_engagement_feature_use.active_people IS 'Different people who were active. [1]';

COMMENT ON COLUMN bi_engagement_feature_use.reach IS 'people / active_people. [1]';

COMMENT ON COLUMN bi_engagement_feature_use.uses IS 'How often it was used. [1]';

COMMENT ON COLUMN bi_engagement_feature_use.uses_per_person IS 'Depth: uses / people. [1]';

COMMENT ON COLUMN bi_engagement_feature_use.adopters IS 'People who used it on at least 2 days; from weekly up. [1]';

COMMENT ON COLUMN bi_engagement_feature_use.is_complete IS 'The period has ended and late data are no longer waited for.';

COMMENT ON COLUMN bi_engagement_feature_use.state_version IS 'Hash of the state that the row was made from.';

COMMENT ON COLUMN bi_engagement_feature_use.registry_version IS 'Version of the definitions that the row follows.';

COMMENT ON COLUMN bi_engagement_feature_use.created_at IS 'When the row was first written.';

COMMENT ON COLUMN bi_engagement_feature_use.updated_at IS 'When a figure of the row last changed.';

CREATE TABLE bi_engagement_cohorts (
    interval TEXT NOT NULL,
    cohort_start DATE NOT NULL,
    number BIGINT NOT NULL,
    people BIGINT NOT NULL,
    active_people BIGINT NOT NULL,
    share DOUBLE PRECISION NOT NULL,
    CONSTRAINT bi_engagement_cohorts_pkey PRIMARY KEY (interval, cohort_start, number)
);

COMMENT ON TABLE bi_engagement_cohorts IS 'Cohort retention: of the people whose first activity lies in one interval, how many were active N intervals later. Cells that are not over for everybody are absent.';

COMMENT ON COLUMN bi_engagement_cohorts.interval IS 'daily, weekly or monthly.';

COMMENT ON COLUMN bi_engagement_cohorts.cohort_start IS 'First day of the interval that the people came in.';

COMMENT ON COLUMN bi_engagement_cohorts.number IS 'N: intervals since then; 0 is the one in which they came.';

COMMENT ON COLUMN bi_engagement_cohorts.people IS 'People of the cohort. [1]';

COMMENT ON COLUMN bi_engagement_cohorts.active_people IS 'Those of them who were active in interval N. [1]';

COMMENT ON COLUMN bi_engagement_cohorts.share IS 'active_people / people. [1]';

CREATE TABLE bi_user_retention (
    user_id BIGINT NOT NULL,
    week_end DATE NOT NULL,
    active_weeks BIGINT NOT NULL,
    last_active_week BIGINT NOT NULL,
    weeks BIGINT NOT NULL,
    probability_alive DOUBLE PRECISION NOT NULL,
    CONSTRAINT bi_user_retention_pkey PRIMARY KEY (week_end, user_id)
);

COMMENT ON TABLE bi_user_retention IS 'For everyone with a first activity, at the end of every week: whether they are likely to come back (BG/BB).';

COMMENT ON COLUMN bi_user_retention.user_id IS 'The person.';

COMMENT ON COLUMN bi_user_retention.week_end IS 'The Monday that ends the week, exclusive.';

COMMENT ON COLUMN bi_user_retention.active_weeks IS 'x: weeks with activity after the first one. [1]';

COMMENT ON COLUMN bi_user_retention.last_active_week IS 't_x: number of the last of them; 0: none. [1]';

COMMENT ON COLUMN bi_user_retention.weeks IS 'n: weeks since the first one. [1]';

COMMENT ON COLUMN bi_user_retention.probability_alive IS 'Probability of being alive in the next week. [1]';

CREATE TABLE bi_churn_calibration (
    month DATE NOT NULL,
    decile BIGINT NOT NULL,
    people BIGINT NOT NULL,
    predicted DOUBLE PRECISION NOT NULL,
    observed DOUBLE PRECISION NOT NULL,
    brier_score DOUBLE PRECISION,
    rule_brier_score DOUBLE PRECISION,
    CONSTRAINT bi_churn_calibration_pkey PRIMARY KEY (month, decile)
);

COMMENT ON TABLE bi_churn_calibration IS 'Forecast and outcome of the churn model on weeks that it was not fitted on, by tenths of the people, beside the rule ''inactive for 14 days''.';

COMMENT ON COLUMN bi_churn_calibration.month IS 'The month whose frozen parameters are judged.';

COMMENT ON COLUMN bi_churn_calibration.decile IS '1 to 10, by rising forecast; 0: all people.';

COMMENT ON COLUMN bi_churn_calibration.people IS 'People. [1]';

COMMENT ON COLUMN bi_churn_calibration.predicted IS 'Mean forecast probability of activity in the hold-out. [1]';

COMMENT ON COLUMN bi_churn_calibration.observed IS 'Share of them who were active in it. [1]';

COMMENT ON COLUMN bi_churn_calibration.brier_score IS 'Mean squared distance of forecast and outcome; of all people. [1]';

COMMENT ON COLUMN bi_churn_calibration.rule_brier_score IS 'The same for the rule ''inactive for 14 days''. [1]';

CREATE VIEW bi_user_engagement_analytics AS
SELECT
    r.user_id,
    r.aggregation_period,
    r.period_start,
    r.period_end,
    r.date,
    r.hours_covered,
    r.has_user_record,
    r.login_count,
    r.total_sessions,
    r.timed_sessions,
    r.session_duration_minutes,
    r.avg_session_duration_minutes,
    r.time_spent_in_app_minutes,
    r.features_used,
    r.features_used_count,
    r.features_adopted_count,
    r.feature_uses,
    r.pages_visited,
    r.pages_visited_count,
    r.page_views,
    r.actions_performed,
    r.chat_messages_sent,
    r.notifications_received,
    r.notifications_opened,
    r.health_data_points_added,
    r.health_data_entries,
    r.medication_logs,
    r.symptom_logs,
    r.goal_achievements,
    r.active_hours,
    r.active_days,
    r.was_active_before,
    r.click_depth_index,
    r.recency_index,
    r.loyalty_index,
    r.interaction_index,
    r.engagement_score_components,
    r.engagement_score,
    r.features_used_count / NULLIF((
        SELECT count(*) FROM bi_engagement_features AS f WHERE f.first_used_on < r.period_end
    ), 0)::double precision AS feature_adoption_rate,
    CASE
        WHEN r.aggregation_period = 'hourly' THEN NULL
        WHEN r.active_hours IS NOT NULL THEN (
            SELECT CASE
                WHEN s.first_active_on >= r.period_start THEN 'new'
                WHEN r.was_active_before THEN 'returning'
                ELSE 'resurrecting'
            END
            FROM bi_engagement_starts AS s WHERE s.user_id = r.user_id
        )
        WHEN r.was_active_before AND r.is_complete THEN 'dormant'
    END AS lifecycle,
    100 * (
        SELECT t.probability_alive FROM bi_user_retention AS t
        WHERE t.user_id = r.user_id AND t.week_end = date_trunc('week', r.period_end)::date
            AND r.aggregation_period NOT IN ('hourly', 'daily')
    ) AS retention_score,
    1 - (
        SELECT t.probability_alive FROM bi_user_retention AS t
        WHERE t.user_id = r.user_id AND t.week_end = date_trunc('week', r.period_end)::date
            AND r.aggregation_period NOT IN ('hourly', 'daily')
    ) AS churn_risk,
    r.is_complete,
    r.state_version,
    r.registry_version,
    r.created_at,
    r.updated_at
FROM bi_user_engagement_rows AS r;

COMMENT ON VIEW bi_user_engagement_analytics IS 'Engagement figures per person and period.';

COMMENT ON COLUMN bi_user_engagement_analytics.user_id IS 'The person.';

COMMENT ON COLUMN bi_user_engagement_analytics.aggregation_period IS 'hourly, daily, weekly, monthly, quarterly or yearly.';

COMMENT ON COLUMN bi_user_engagement_analytics.period_start IS 'Start of the period, wall-clock time of the person.';

COMMENT ON COLUMN bi_user_engagement_analytics.period_end IS 'End of the period, exclusive, wall-clock time of the person.';

COMMENT ON COLUMN bi_user_engagement_analytics.date IS 'The day that the period starts on.';

COMMENT ON COLUMN bi_user_engagement_analytics.hours_covered IS 'Hours that really elapse in the period: 23 or 25 on the days of a clock change. [h]';

COMMENT ON COLUMN bi_user_engagement_analytics.has_user_record IS 'The person has a record in users.';

COMMENT ON COLUMN bi_user_engagement_analytics.login_count IS 'Logged sessions that began in the period. [1]';

COMMENT ON COLUMN bi_user_engagement_analytics.total_sessions IS 'Sessions that began: as logged; on days of a person without one, made from deliberate events: 30 minutes without one, or midnight, end it. [1]';

COMMENT ON COLUMN bi_user_engagement_analytics.timed_sessions IS 'Sessions that began in the period and whose length is known. [1]';

COMMENT ON COLUMN bi_user_engagement_analytics.session_duration_minutes IS 'Whole length of the sessions that began in the period, where it is known. [min]';

COMMENT ON COLUMN bi_user_engagement_analytics.avg_session_duration_minutes IS 'Mean length of the sessions that began in the period, where it is known. [min]';

COMMENT ON COLUMN bi_user_engagement_analytics.time_spent_in_app_minutes IS 'Time of the period in which a session was open, cut at its ends; of several at once it counts once. [min]';

COMMENT ON COLUMN bi_user_engagement_analytics.features_used IS 'The features used, by name.';

COMMENT ON COLUMN bi_user_engagement_analytics.features_used_count IS 'How many different features were used. [1]';

COMMENT ON COLUMN bi_user_engagement_analytics.features_adopted_count IS 'Features used on at least 2 days of the period. [1]';

COMMENT ON COLUMN bi_user_engagement_analytics.feature_uses IS 'Uses of features. [1]';

COMMENT ON COLUMN bi_user_engagement_analytics.pages_visited IS 'The pages visited, by name.';

COMMENT ON COLUMN bi_user_engagement_analytics.pages_visited_count IS 'How many different pages were visited. [1]';

COMMENT ON COLUMN bi_user_engagement_analytics.page_views IS 'Pages viewed. [1]';

COMMENT ON COLUMN bi_user_engagement_analytics.actions_performed IS 'Actions performed. [1]';

COMMENT ON COLUMN bi_user_engagement_analytics.chat_messages_sent IS 'Chat messages sent. [1]';

COMMENT ON COLUMN bi_user_engagement_analytics.notifications_received IS 'Notifications that reached the person. [1]';

COMMENT ON COLUMN bi_user_engagement_analytics.notifications_opened IS 'Notifications opened. [1]';

COMMENT ON COLUMN bi_user_engagement_analytics.health_data_points_added IS 'Data points that entries of health data added. [1]';

COMMENT ON COLUMN bi_user_engagement_analytics.health_data_entries IS 'Entries of health data in the app. [1]';

COMMENT ON COLUMN bi_user_engagement_analytics.medication_logs IS 'Medications logged in the app. [1]';

COMMENT ON COLUMN bi_user_engagement_analytics.symptom_logs IS 'Symptoms logged in the app. [1]';

COMMENT ON COLUMN bi_user_engagement_analytics.goal_achievements IS 'Goals achieved. [1]';

COMMENT ON COLUMN bi_user_engagement_analytics.active_hours IS 'Wall-clock hours with an open session or a deliberate event. [h]';

COMMENT ON COLUMN bi_user_engagement_analytics.active_days IS 'Days with an open session or a deliberate event. [d]';

COMMENT ON COLUMN bi_user_engagement_analytics.was_active_before IS 'Whether the person was active in the period before.';

COMMENT ON COLUMN bi_user_engagement_analytics.click_depth_index IS 'Ci: share of the sessions that began with at least 3 page views; where pages were viewed. [1]';

COMMENT ON COLUMN bi_user_engagement_analytics.recency_index IS 'Ri: 1 / (1 + days from the last session to the last day of the period). [1]';

COMMENT ON COLUMN bi_user_engagement_analytics.loyalty_index IS 'Li: 1 - 1 / sessions that began. [1]';

COMMENT ON COLUMN bi_user_engagement_analytics.interaction_index IS 'Ii: notifications opened / received, no more than 1; where some were received. [1]';

COMMENT ON COLUMN bi_user_engagement_analytics.engagement_score_components IS 'How many of the 4 sub-indices there are: Ci, Ri, Li, Ii. [1]';

COMMENT ON COLUMN bi_user_engagement_analytics.engagement_score IS '100 x the mean of the sub-indices that there are. Use is not benefit. [1]';

COMMENT ON COLUMN bi_user_engagement_analytics.feature_adoption_rate IS 'features_used_count divided by the features that anybody had used by the end of the period: breadth of use. [1]';

COMMENT ON COLUMN bi_user_engagement_analytics.lifecycle IS 'new: first active in this period; returning: active in the period before too; resurrecting: active again after a gap; dormant: active in the period before and not in this one, said when it is complete.';

COMMENT ON COLUMN bi_user_engagement_analytics.retention_score IS '100 x the probability that the person is still alive, that is will use the app again, in the week after the last whole week of the period; parameters frozen per month. [1]';

COMMENT ON COLUMN bi_user_engagement_analytics.churn_risk IS '1 - retention_score / 100. [1]';

COMMENT ON COLUMN bi_user_engagement_analytics.is_complete IS 'The period has ended and late data are no longer waited for.';

COMMENT ON COLUMN bi_user_engagement_analytics.state_version IS 'Hash of the state that the row was made from.';

COMMENT ON COLUMN bi_user_engagement_analytics.registry_version IS 'Version of the definitions that the row follows.';

COMMENT ON COLUMN bi_user_engagement_analytics.created_at IS 'When the row was first written.';

COMMENT ON COLUMN bi_user_engagement_analytics.updated_at IS 'When a figure of the row last changed.';

CREATE VIEW bi_engagement_lifecycle AS
SELECT aggregation_period, period_start, lifecycle, count(*) AS people
FROM bi_user_engagement_analytics
WHERE lifecycle IS NOT NULL
GROUP BY aggregation_period, period_start, lifecycle;

COMMENT ON VIEW bi_engagement_lifecycle IS 'How many people were new, returning, resurrecting and dormant in each period.';

COMMENT ON COLUMN bi_engagement_lifecycle.aggregation_period IS 'hourly, daily, weekly, monthly, quarterly or yearly.';

COMMENT ON COLUMN bi_engagement_lifecycle.period_start IS 'Start of the period, wall-clock time of the person.';

COMMENT ON COLUMN bi_engagement_lifecycle.lifecycle IS 'new, returning, resurrecting or dormant.';

COMMENT ON COLUMN bi_engagement_lifecycle.people IS 'People. [1]';
"""


def upgrade() -> None:
    """Make them."""
    op.get_bind().exec_driver_sql(STATEMENTS, execution_options={"no_parameters": True})
