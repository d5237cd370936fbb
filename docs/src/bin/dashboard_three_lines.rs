include!(concat!(env!("OUT_DIR"), "/dashboard_three_lines.rs"));
