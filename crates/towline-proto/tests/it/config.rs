//! Every setting has a default, a setter, and a getter that gives what was set.

use std::time::{Duration, Instant};

use towline_proto::{Config, Connection, Role};

#[test]
fn the_defaults_are_those_of_the_documentation() {
    let config = Config::default();
    assert_eq!(config.get_max_message_size(), 64 * 1024 * 1024);
    assert_eq!(config.get_max_frame_size(), (1 << 63) - 1);
    assert_eq!(config.get_max_fragments(), 131_072);
    assert_eq!(config.get_max_empty_fragments(), 1024);
    assert_eq!(config.get_max_control_frames_per_second(), 1000);
    assert_eq!(config.get_max_outbox(), 64 * 1024);
    assert_eq!(config.get_ping_interval(), Some(Duration::from_secs(30)));
    assert_eq!(config.get_pong_timeout(), Duration::from_secs(30));
    assert_eq!(config.get_pong_interval(), None);
    assert_eq!(config.actual_pong_interval(), None);
    assert!(!config.get_allow_short_pong_interval());
    assert_eq!(config.get_idle_timeout(), None);
    assert_eq!(config.get_close_timeout(), Duration::from_secs(10));
    assert_eq!(config.get_write_timeout(), Duration::from_secs(30));
}

#[test]
fn what_is_set_is_what_one_gets() {
    let second = Duration::from_secs(1);
    let config = Config::default()
        .max_message_size(1)
        .max_frame_size(2)
        .max_fragments(3)
        .max_empty_fragments(4)
        .max_control_frames_per_second(5)
        .max_outbox(6)
        .ping_interval(Some(second * 7))
        .pong_timeout(second * 8)
        .pong_interval(Some(second * 9))
        .allow_short_pong_interval(true)
        .idle_timeout(Some(second * 10))
        .close_timeout(second * 11)
        .write_timeout(second * 12);
    assert_eq!(config.get_max_message_size(), 1);
    assert_eq!(config.get_max_frame_size(), 2);
    assert_eq!(config.get_max_fragments(), 3);
    assert_eq!(config.get_max_empty_fragments(), 4);
    assert_eq!(config.get_max_control_frames_per_second(), 5);
    assert_eq!(config.get_max_outbox(), 6);
    assert_eq!(config.get_ping_interval(), Some(second * 7));
    assert_eq!(config.get_pong_timeout(), second * 8);
    assert_eq!(config.get_pong_interval(), Some(second * 9));
    assert!(config.get_allow_short_pong_interval());
    assert_eq!(config.get_idle_timeout(), Some(second * 10));
    assert_eq!(config.get_close_timeout(), second * 11);
    assert_eq!(config.get_write_timeout(), second * 12);
}

/// winrt.md P3
#[test]
fn a_heartbeat_is_no_quicker_than_15_s_unless_it_may_be() {
    let seconds = |time| Some(Duration::from_secs(time));
    for (desired, actual) in [(0, 30), (1, 15), (14, 15), (15, 15), (16, 16), (86_400, 86_400)] {
        let config = Config::default().pong_interval(seconds(desired));
        assert_eq!(config.get_pong_interval(), seconds(desired));
        assert_eq!(config.actual_pong_interval(), seconds(actual), "{desired}");
    }
    let may = Config::default().allow_short_pong_interval(true);
    for (desired, actual) in [(0, 30), (1, 1), (14, 14)] {
        let config = may.clone().pong_interval(seconds(desired));
        assert_eq!(config.actual_pong_interval(), seconds(actual), "{desired}");
    }
    let config = may.clone().pong_interval(Some(Duration::from_nanos(1)));
    assert_eq!(config.actual_pong_interval(), Some(Duration::from_millis(1)));
    assert_eq!(may.actual_pong_interval(), None);
}

#[test]
fn a_deadline_beyond_the_end_of_time_is_no_deadline() {
    let config = Config::default()
        .ping_interval(Some(Duration::MAX))
        .pong_timeout(Duration::MAX)
        .pong_interval(Some(Duration::MAX))
        .idle_timeout(Some(Duration::MAX))
        .close_timeout(Duration::MAX);
    let now = Instant::now();
    let mut connection = Connection::new(Role::Client, config, [0; 32], now);
    assert_eq!(connection.poll_timeout(), None);
    assert_eq!(connection.handle_timeout(now), None);
    connection.close(None, now);
    assert_eq!(connection.poll_timeout(), None);
    assert_eq!(connection.handle_timeout(now), None);
}
