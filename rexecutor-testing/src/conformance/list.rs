//! The cases of the suite.

/// Every case by its name, so that none can be forgotten: the list makes the functions' paths and the tests.
macro_rules! cases {
    ($($module:ident: $($case:ident),* $(,)?;)*) => {
        /// The cases. Not public API: [`conformance!`](macro@crate::conformance) calls them.
        #[doc(hidden)]
        pub mod cases {
            $(pub use super::super::$module::{$($case),*};)*
        }

        /// Holds a backend to the suite: see [`conformance`](mod@crate::conformance).
        #[macro_export]
        macro_rules! conformance {
            ($name:ident, $backend:expr) => {
                mod $name {
                    #[allow(unused_imports)]
                    use super::*;

                    $($(
                        #[test]
                        fn $case() {
                            $crate::conformance::run($backend, |harness| async move {
                                $crate::conformance::cases::$case(&harness).await;
                            });
                        }
                    )*)*

                    #[test]
                    fn random_sequences_of_calls_end_as_in_the_model() {
                        $crate::conformance::compare($backend);
                    }
                }
            };
        }
    };
}

cases! {
    ends:
        case_15_1_an_output_comes_back_as_it_was, case_15_1_the_ends_of_marked_jobs_are_told_and_no_others,
        case_15_1_a_waiter_hears_of_every_end, case_15_1_many_callers_wait_at_once;
    reports:
        case_15_2_a_report_is_fenced_by_the_lease;
    streams:
        case_15_3_a_stream_is_read_from_anywhere, case_15_3_a_stream_is_fenced_by_the_lease;
    events:
        each_change_of_a_job_is_told_in_its_order, a_job_that_is_gone_was_told_of, a_listener_is_told_what_it_asks_for,
        listeners_are_woken_by_events;
    event_sources:
        what_others_do_to_a_job_is_told, what_a_workflow_does_to_its_jobs_is_told, pauses_and_progress_are_told,
        the_events_of_each_job_come_in_order_whoever_works_at_once;
    history:
        how_jobs_went_is_added_up_by_the_minute, how_jobs_went_is_rolled_up_by_its_age;
    audit:
        what_people_change_is_recorded_and_found, the_audit_log_is_read_page_by_page, the_audit_log_prunes_itself;
    follow:
        case_15_4_jobs_follow_only_a_success_and_once, case_15_4_a_thousand_jobs_follow_one,
        case_15_4_what_was_not_committed_has_failed;
    batches:
        case_15_5_each_callback_comes_once_and_at_its_time,
        case_15_5_a_batch_finishes_with_its_last_job_however_that_ends,
        case_15_5_jobs_are_added_until_a_batch_has_finished, case_15_5_an_empty_batch_has_succeeded_at_once,
        case_15_5_a_rerun_repeats_callbacks_only_where_that_is_asked,
        case_15_5_whoever_waits_is_woken_when_a_batch_finishes,
        case_15_5_of_many_that_end_the_last_jobs_one_enqueues_the_callback,
        case_15_5_a_batch_of_thousands_counts_each_of_its_jobs;
    flow_list:
        case_15_5_flows_are_listed_by_whether_they_have_ended;
    batch_jobs:
        case_15_5_a_batch_is_cancelled_as_a_whole, case_15_5_jobs_of_a_batch_that_goes_on_are_not_pruned,
        case_15_5_the_jobs_of_a_batch_are_listed_by_status;
    workflows:
        case_15_6_a_diamond_runs_in_its_order, case_15_6_each_rule_says_what_becomes_of_a_task,
        case_15_6_a_failure_cancels_what_comes_after_it, case_15_6_tasks_are_added_while_it_runs,
        case_15_6_two_last_predecessors_end_at_the_same_time, case_15_6_a_sweep_tells_what_was_left_untold,
        case_15_6_a_workflow_is_retried_from_what_failed;
    workflow_jobs:
        case_15_6_the_same_tasks_are_added_once, case_15_6_a_task_that_waits_is_not_released_by_hand,
        case_15_6_a_retry_takes_what_is_cancelled_behind_a_job_that_was_rerun,
        case_15_6_a_task_is_skipped_by_hand, case_15_6_a_workflow_is_cancelled_as_a_whole,
        case_15_6_what_is_not_kept_is_kept_until_the_end, case_15_6_a_task_whose_job_was_deleted_has_ended,
        case_15_6_thousands_of_tasks,
        case_15_6_sweeps_end_while_workflows_are_cancelled;
    enqueue:
        an_enqueued_job_is_scheduled_with_all_that_was_given, what_few_jobs_have_comes_back_as_it_was,
        answers_and_numbers_are_in_the_order_of_the_jobs, a_delay_counts_from_the_backends_present,
        unicode_large_data_and_deep_json_come_back_as_they_were, instants_keep_their_microseconds,
        trap_26_a_conflict_says_that_nothing_was_inserted, trap_23_of_sixteen_enqueuers_of_one_key_one_inserts,
        trap_25_batches_with_the_same_keys_in_other_orders_do_not_deadlock,
        a_later_job_of_a_batch_conflicts_with_an_earlier_one, uniqueness_ends_with_its_time_and_with_its_statuses,
        a_conflict_replaces_each_field_that_was_named_and_no_other,
        a_conflict_replaces_nothing_in_other_statuses_or_while_executing, trap_17_of_many_nodes_one_enqueues_a_tick,
        a_new_schedule_owes_nothing_and_a_known_one_keeps_its_last_tick, many_jobs_in_one_call;
    room:
        case_14_9_no_more_wait_than_may, case_14_9_a_call_that_does_not_fit_stores_nothing,
        case_14_9_of_sixty_four_callers_as_many_are_taken_as_may_wait;
    steps:
        case_15_7_a_step_is_recorded_once_and_only_under_its_runs_lease,
        case_15_7_a_job_that_sleeps_comes_back_when_its_time_is_over, case_15_7_steps_are_deleted_with_their_job,
        case_15_7_a_fork_keeps_the_steps_before_and_no_others,
        case_15_7_a_rerun_repeats_the_steps_of_a_complete_job_and_not_those_of_a_discarded_one;
    signals:
        case_15_8_a_signal_that_comes_before_the_wait_is_found,
        case_15_8_a_signal_makes_a_job_due_that_waits_for_ever_or_for_a_while,
        case_15_8_a_signal_between_the_look_of_a_run_and_its_end_is_not_missed,
        case_15_8_the_first_signal_stands_and_a_late_one_is_told, case_15_8_a_sleeping_job_is_not_woken,
        case_15_8_a_finished_job_and_another_executors_take_no_signal, case_15_8_of_sixteen_senders_one_is_first;
    windows:
        case_18_8_a_later_call_takes_the_place_of_one_that_waits,
        case_18_8_a_call_that_finds_its_job_begun_is_another_job, case_18_8_the_last_call_of_a_batch_wins,
        case_18_8_of_sixty_four_debounced_callers_none_is_lost, case_18_8_sixty_four_debounced_callers_leave_one_job,
        case_44_a_clock_that_is_set_back_by_hours_does_not_keep_a_window_closed,
        case_18_8_of_sixty_four_throttled_callers_one_is_enqueued_a_window,
        case_18_8_a_debounced_call_meets_every_status_as_the_life_cycle_says;
    schedules:
        case_20_a_job_keeps_the_tick_that_it_is_for, case_44_a_last_tick_that_lies_ahead_is_taken_back_by_one_node,
        a_local_time_has_one_tick_whichever_instants_nodes_take_it_for;
    entries:
        an_entry_stands_in_the_backend_with_all_that_was_given, of_many_nodes_one_ticks_an_entry,
        an_entry_enqueues_its_job_as_it_was_given, a_paused_entry_does_not_tick_and_owes_nothing_afterwards,
        an_entry_is_changed_triggered_and_removed_by_hand, case_44_an_entry_whose_last_tick_lies_ahead_ticks_on,
        an_entry_remembers_its_last_ten_ticks, listeners_are_woken_when_an_entry_changes;
    declared:
        trap_22_a_changed_entry_is_ticked_by_those_that_declare_the_newest,
        trap_22_no_instant_is_ticked_by_two_versions_and_none_is_lost_between_them,
        trap_22_an_entry_that_no_living_node_declares_is_orphaned,
        case_25_data_whose_maps_are_written_in_another_order_are_one_entry,
        an_entry_from_code_is_not_changed_or_removed_by_hand,
        many_nodes_that_declare_many_entries_do_not_wait_for_each_other;
    clocks:
        case_44_what_was_due_before_a_clock_was_set_back_is_due_after,
        case_44_what_was_due_before_a_clock_was_set_back_is_due_for_a_node_that_comes_later,
        case_44_an_executor_that_is_held_back_waits_no_longer_for_a_clock_that_was_set_back,
        case_44_a_run_during_which_a_clock_is_set_back_has_no_negative_duration,
        case_44_a_clock_that_is_set_forward_leaves_missed_ticks,
        case_44_a_clock_that_is_set_back_repeats_no_tick_of_the_last_minute,
        trap_20_hours_that_are_skipped_or_come_twice_lose_no_tick;
    overlaps:
        an_overlapping_tick_is_skipped, overlapping_ticks_wait_in_a_queue,
        an_overlapping_tick_replaces_the_job_before_it, overlapping_ticks_are_allowed;
    claim:
        jobs_are_claimed_by_priority_then_due_time_then_number, a_job_is_not_claimed_before_it_is_due,
        at_most_as_many_as_there_are_free_slots_for_each_executor, trap_11_other_executors_jobs_are_left_alone,
        a_claim_raises_attempt_and_lease_and_gives_the_job_to_the_node, a_node_that_is_no_member_is_given_nothing,
        trap_31_due_jobs_behind_future_ones_of_higher_priority_are_found,
        case_22_a_due_job_behind_future_ones_of_all_priorities_is_found, sixteen_claimers_share_ten_thousand_jobs,
        a_claim_tells_when_the_next_job_is_due, listeners_are_woken_when_a_job_can_be_claimed;
    settle:
        every_outcome_leads_where_the_life_cycle_says, trap_03_a_stale_lease_settles_nothing,
        settling_twice_changes_nothing, trap_27_the_last_attempt_discards,
        trap_08_a_job_asked_to_cancel_ends_cancelled_whatever_its_outcome,
        errors_are_kept_in_order_and_seen_by_the_next_attempt, case_21_the_first_and_the_newest_errors_are_kept,
        case_28_a_deferred_job_waits_and_its_error_is_recorded_once,
        a_lease_rises_for_ever_though_attempts_are_given_back, an_output_is_stored_and_a_rerun_forgets_it;
    sizes:
        case_32_a_claim_ends_with_the_bytes_that_it_asks_for, case_32_metadata_count_and_small_jobs_wait_for_their_turn,
        case_32_a_call_of_large_jobs_is_stored_in_its_order, case_33_times_are_kept_in_whole_microseconds;
    maintain:
        trap_01_a_dead_nodes_jobs_are_rescued, trap_02_a_live_nodes_jobs_are_not_rescued_however_long_they_take,
        case_42_a_heartbeat_tells_how_often_the_others_were_heard, case_42_and_44_no_clock_makes_a_node_dead,
        rescuing_many_jobs_takes_as_many_calls_as_it_needs, trap_04_rescue_leaves_jobs_that_have_ended,
        trap_12_a_job_whose_nodes_die_ends_discarded, a_timeout_may_be_as_long_as_it_likes,
        a_node_that_left_leaves_its_jobs_to_the_others, a_heartbeat_tells_what_runs_and_what_is_to_be_cancelled,
        trap_28_age_counts_from_the_end_and_length_keeps_the_newest,
        pruning_deletes_only_what_matches_and_at_most_the_limit;
    amend:
        cancel_ends_a_waiting_job_and_asks_a_running_one, trap_08_a_running_job_cannot_be_rerun_or_updated,
        rerun_makes_a_finished_job_due_with_all_attempts, a_blocked_job_waits_until_it_is_released,
        a_released_job_waits_for_its_due_time, a_blocked_job_that_conflicts_moves_nobodys_due_time,
        update_replaces_what_it_names, case_31_a_rerun_is_refused_while_a_live_job_has_the_key,
        case_31_of_many_reruns_of_one_key_one_succeeds, case_31_an_update_sets_a_key_unless_another_job_has_it,
        case_14_6_a_complete_job_that_never_runs_again_is_refused, delete_takes_a_finished_job_and_no_other,
        another_executors_job_is_not_found;
    control:
        a_paused_executor_is_given_nothing_and_the_others_all, a_pause_ends_by_itself_and_a_claim_tells_when,
        a_pause_holds_for_nodes_that_join_later_and_for_those_that_are_busy,
        a_second_pause_takes_the_place_of_the_first, a_pause_that_cannot_be_stored_is_refused,
        a_paused_cluster_gives_nothing_until_it_is_resumed, a_pause_of_the_cluster_ends_by_itself,
        a_paused_node_is_given_nothing_and_the_others_all, a_pause_of_a_node_ends_by_itself,
        what_runs_is_listed_by_scope, listeners_are_woken_when_a_pause_ends_by_hand;
    tags:
        case_14_6_jobs_of_a_paused_tag_are_given_to_nobody, case_14_6_a_pause_of_a_tag_ends_by_itself,
        case_14_6_paused_jobs_at_the_head_of_a_line_keep_no_other_waiting,
        case_14_6_a_job_of_two_paused_tags_waits_for_both, case_14_6_a_paused_tag_holds_beside_limits,
        case_14_6_a_job_of_a_paused_tag_is_changed_by_hand,
        case_14_6_no_claim_that_begins_after_a_pause_gives_a_job_of_the_tag,
        case_44_a_job_of_a_paused_tag_does_not_wait_for_a_clock_that_was_set_back,
        case_14_6_listeners_are_woken_when_a_tag_is_resumed, case_14_6_a_paused_tag_says_by_whom_since_when_and_why;
    limits:
        no_more_run_on_all_nodes_than_the_limit,
        a_full_executor_tells_when_its_next_job_is_due_and_leaves_the_others_alone,
        the_strictest_declared_limit_holds_and_ends_with_its_node,
        trap_14_the_runs_of_a_dead_node_count_until_they_are_rescued, of_sixteen_claimers_never_more_run_than_the_limit,
        a_pause_holds_beside_a_limit;
    set_limits:
        a_limit_that_was_set_holds_over_those_that_are_declared_until_it_is_reset,
        a_limit_is_set_of_an_executor_that_declares_none, a_rate_is_set_while_jobs_wait_for_another_one,
        listeners_are_woken_when_limits_are_set, limits_that_let_nothing_run_are_refused;
    keys:
        of_each_key_no_more_run_on_all_nodes_than_the_limit, keys_are_served_in_rotation,
        jobs_of_one_key_start_in_their_order, the_strictest_declared_limit_per_key_holds_and_ends_with_its_node,
        trap_14_the_runs_of_a_dead_node_count_for_their_keys,
        of_sixteen_claimers_never_more_of_a_key_run_than_the_limit,
        due_jobs_are_found_among_keys_whose_jobs_are_not_due,
        a_key_behind_a_flood_and_a_thousand_idle_keys_has_its_turn, a_limit_per_key_holds_beside_the_others,
        case_32_a_claim_in_rotation_ends_with_its_bytes, a_key_is_changed_with_the_data;
    order:
        case_14_3_jobs_of_a_key_run_one_after_another, case_14_3_whatever_waits_at_the_head_holds_up_those_behind_it,
        case_14_3_a_discarded_job_leaves_its_line_or_halts_it, case_14_3_cancelling_the_head_lets_its_line_go_on,
        case_14_3_releasing_the_head_lets_its_line_go_on, deleting_the_head_lets_its_line_go_on,
        case_14_3_a_rerun_goes_first_and_never_beside_another, case_14_3_the_order_holds_for_nodes_that_declare_none,
        case_14_3_jobs_from_before_the_order_run_one_at_a_time_of_each_key,
        trap_14_the_run_of_a_dead_node_keeps_its_line;
    lines:
        case_14_3_a_line_behind_many_others_has_its_turn, case_14_3_an_order_holds_beside_other_limits,
        case_32_a_claim_in_order_ends_with_its_bytes, case_14_3_of_sixteen_claimers_none_breaks_a_line;
    shared:
        case_14_5_executors_that_share_a_limit_take_turns, case_14_5_tokens_of_a_shared_rate_are_taken_in_turn,
        case_14_5_a_shared_limit_holds_for_nodes_that_declare_none, case_14_5_shared_limits_hold_beside_the_others,
        case_14_5_of_sixteen_claimers_never_more_run_than_the_shared_limit;
    deadlines:
        a_job_that_waits_past_its_deadline_is_discarded, a_job_that_runs_past_its_deadline_is_left_to_its_node,
        a_job_that_is_lost_past_its_deadline_is_discarded, a_rerun_forgets_a_deadline_that_has_passed,
        a_thousand_jobs_miss_their_deadline_at_once;
    rates:
        no_more_are_claimed_than_the_rate_allows, a_rate_holds_back_nothing_where_nothing_is_due,
        the_slowest_declared_rate_holds, sixteen_claimers_share_the_tokens_of_a_rate,
        a_throttled_job_holds_its_executor_back;
    breakers:
        case_14_6_a_circuit_breaker_opens_after_failures_within_its_time,
        case_14_6_failures_of_one_batch_open_a_circuit_breaker,
        case_14_6_what_is_no_failure_does_not_open_a_circuit_breaker,
        case_14_6_one_job_is_let_through_and_closes_the_circuit_breaker,
        case_14_6_a_failure_after_the_pause_keeps_a_circuit_breaker_open,
        case_14_6_a_trial_that_says_nothing_is_followed_by_another, case_14_6_a_circuit_breaker_is_closed_by_hand,
        case_14_6_a_circuit_breaker_holds_beside_limits,
        case_44_a_circuit_breaker_does_not_stay_open_for_a_clock_that_was_set_back,
        case_14_6_listeners_are_woken_when_a_circuit_breaker_closes,
        case_14_6_a_circuit_breaker_says_since_when_and_why;
    aging:
        case_14_7_a_job_rises_by_a_priority_for_each_time_that_it_waits,
        case_14_7_a_job_rises_from_when_it_is_due,
        case_14_7_a_job_that_has_waited_is_not_starved;
    costs:
        case_14_4_a_job_takes_as_many_tokens_as_it_weighs, case_14_4_a_job_heavier_than_the_burst_costs_a_full_bucket,
        case_14_4_the_weight_is_stored_and_changed_with_the_data, case_14_4_weights_count_for_a_shared_rate;
    key_rates:
        case_14_4_each_key_has_a_rate_of_its_own, case_14_4_sixteen_claimers_share_the_tokens_of_each_key,
        case_14_4_a_throttled_job_holds_its_key_back,
        case_44_a_key_that_is_held_back_waits_no_longer_for_a_clock_that_was_set_back,
        case_14_4_the_slowest_rate_of_a_key_holds_until_one_is_set, case_14_4_rates_of_keys_hold_beside_the_others,
        case_14_4_keys_without_tokens_keep_no_other_waiting;
    survey:
        case_08_jobs_that_no_living_node_runs_are_found, case_08_what_waits_is_counted_up_to_a_limit;
    query:
        trap_33_conditions_keep_to_their_parentheses, an_empty_list_is_none_and_an_empty_condition_is_all,
        case_24_data_are_compared_in_full, case_30_chains_of_thousands_are_answered_and_longer_ones_refused,
        case_30_extreme_ages_and_instants_are_compared, every_condition_means_what_the_reference_says;
    observe:
        pages_have_every_job_once_in_each_order, every_filter_and_order_give_what_the_reference_says,
        a_page_of_a_rare_kind_ends_early_and_continues, a_time_range_is_found_in_the_middle_of_a_long_table,
        counts_are_exact_while_small_and_capped_beyond, the_cluster_has_every_node_with_its_runs,
        executors_have_their_limits_and_their_queues;
    explain:
        case_a_job_that_is_not_due_waits_for_its_time, case_a_failed_job_waits_for_its_next_attempt,
        case_a_pause_says_by_whom_since_when_and_why, case_no_living_node_runs_the_executor, case_all_slots_are_taken,
        case_as_many_run_in_the_cluster_as_may, case_as_many_of_the_key_run_as_may,
        case_14_4_the_rate_of_its_key_is_used_up, case_14_3_a_job_behind_another_says_whose_turn_it_is,
        case_14_5_a_shared_limit_keeps_jobs_of_all_that_share_it, case_14_6_nodes_that_are_paused_say_by_whom_and_why,
        case_a_rate_says_when_the_next_token_comes, case_a_job_holds_its_executor_back,
        case_a_node_that_is_silent_has_claimed_it, case_a_blocked_job_waits_to_be_released,
        case_a_task_waits_for_those_before_it, case_a_job_waits_for_a_signal, case_a_job_is_about_to_miss_its_deadline,
        case_unreadable_data_wait_for_another_version, case_a_finished_job_says_how_it_ended,
        case_a_running_job_says_where, case_nothing_keeps_a_due_job;
}
