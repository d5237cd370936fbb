include!(concat!(env!("OUT_DIR"), "/results_for_a_web_page.rs"));
