include!(concat!(env!("OUT_DIR"), "/deploys_another_name_for_the_function_2.rs"));
