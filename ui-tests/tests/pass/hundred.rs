//! A hundred jobs in one file.

use rexecutor::prelude::*;

#[job(max_attempts = 1, timeout = "1s")]
async fn job_0(_data: u32, _context: JobContext) {}

#[job(max_attempts = 2, timeout = "2s")]
async fn job_1(_data: u32, _context: JobContext) {}

#[job(max_attempts = 3, timeout = "3s")]
async fn job_2(_data: u32, _context: JobContext) {}

#[job(max_attempts = 4, timeout = "4s")]
async fn job_3(_data: u32, _context: JobContext) {}

#[job(max_attempts = 5, timeout = "5s")]
async fn job_4(_data: u32, _context: JobContext) {}

#[job(max_attempts = 6, timeout = "6s")]
async fn job_5(_data: u32, _context: JobContext) {}

#[job(max_attempts = 7, timeout = "7s")]
async fn job_6(_data: u32, _context: JobContext) {}

#[job(max_attempts = 8, timeout = "8s")]
async fn job_7(_data: u32, _context: JobContext) {}

#[job(max_attempts = 9, timeout = "9s")]
async fn job_8(_data: u32, _context: JobContext) {}

#[job(max_attempts = 1, timeout = "10s")]
async fn job_9(_data: u32, _context: JobContext) {}

#[job(max_attempts = 2, timeout = "11s")]
async fn job_10(_data: u32, _context: JobContext) {}

#[job(max_attempts = 3, timeout = "12s")]
async fn job_11(_data: u32, _context: JobContext) {}

#[job(max_attempts = 4, timeout = "13s")]
async fn job_12(_data: u32, _context: JobContext) {}

#[job(max_attempts = 5, timeout = "14s")]
async fn job_13(_data: u32, _context: JobContext) {}

#[job(max_attempts = 6, timeout = "15s")]
async fn job_14(_data: u32, _context: JobContext) {}

#[job(max_attempts = 7, timeout = "16s")]
async fn job_15(_data: u32, _context: JobContext) {}

#[job(max_attempts = 8, timeout = "17s")]
async fn job_16(_data: u32, _context: JobContext) {}

#[job(max_attempts = 9, timeout = "18s")]
async fn job_17(_data: u32, _context: JobContext) {}

#[job(max_attempts = 1, timeout = "19s")]
async fn job_18(_data: u32, _context: JobContext) {}

#[job(max_attempts = 2, timeout = "20s")]
async fn job_19(_data: u32, _context: JobContext) {}

#[job(max_attempts = 3, timeout = "21s")]
async fn job_20(_data: u32, _context: JobContext) {}

#[job(max_attempts = 4, timeout = "22s")]
async fn job_21(_data: u32, _context: JobContext) {}

#[job(max_attempts = 5, timeout = "23s")]
async fn job_22(_data: u32, _context: JobContext) {}

#[job(max_attempts = 6, timeout = "24s")]
async fn job_23(_data: u32, _context: JobContext) {}

#[job(max_attempts = 7, timeout = "25s")]
async fn job_24(_data: u32, _context: JobContext) {}

#[job(max_attempts = 8, timeout = "26s")]
async fn job_25(_data: u32, _context: JobContext) {}

#[job(max_attempts = 9, timeout = "27s")]
async fn job_26(_data: u32, _context: JobContext) {}

#[job(max_attempts = 1, timeout = "28s")]
async fn job_27(_data: u32, _context: JobContext) {}

#[job(max_attempts = 2, timeout = "29s")]
async fn job_28(_data: u32, _context: JobContext) {}

#[job(max_attempts = 3, timeout = "30s")]
async fn job_29(_data: u32, _context: JobContext) {}

#[job(max_attempts = 4, timeout = "31s")]
async fn job_30(_data: u32, _context: JobContext) {}

#[job(max_attempts = 5, timeout = "32s")]
async fn job_31(_data: u32, _context: JobContext) {}

#[job(max_attempts = 6, timeout = "33s")]
async fn job_32(_data: u32, _context: JobContext) {}

#[job(max_attempts = 7, timeout = "34s")]
async fn job_33(_data: u32, _context: JobContext) {}

#[job(max_attempts = 8, timeout = "35s")]
async fn job_34(_data: u32, _context: JobContext) {}

#[job(max_attempts = 9, timeout = "36s")]
async fn job_35(_data: u32, _context: JobContext) {}

#[job(max_attempts = 1, timeout = "37s")]
async fn job_36(_data: u32, _context: JobContext) {}

#[job(max_attempts = 2, timeout = "38s")]
async fn job_37(_data: u32, _context: JobContext) {}

#[job(max_attempts = 3, timeout = "39s")]
async fn job_38(_data: u32, _context: JobContext) {}

#[job(max_attempts = 4, timeout = "40s")]
async fn job_39(_data: u32, _context: JobContext) {}

#[job(max_attempts = 5, timeout = "41s")]
async fn job_40(_data: u32, _context: JobContext) {}

#[job(max_attempts = 6, timeout = "42s")]
async fn job_41(_data: u32, _context: JobContext) {}

#[job(max_attempts = 7, timeout = "43s")]
async fn job_42(_data: u32, _context: JobContext) {}

#[job(max_attempts = 8, timeout = "44s")]
async fn job_43(_data: u32, _context: JobContext) {}

#[job(max_attempts = 9, timeout = "45s")]
async fn job_44(_data: u32, _context: JobContext) {}

#[job(max_attempts = 1, timeout = "46s")]
async fn job_45(_data: u32, _context: JobContext) {}

#[job(max_attempts = 2, timeout = "47s")]
async fn job_46(_data: u32, _context: JobContext) {}

#[job(max_attempts = 3, timeout = "48s")]
async fn job_47(_data: u32, _context: JobContext) {}

#[job(max_attempts = 4, timeout = "49s")]
async fn job_48(_data: u32, _context: JobContext) {}

#[job(max_attempts = 5, timeout = "50s")]
async fn job_49(_data: u32, _context: JobContext) {}

#[job(max_attempts = 6, timeout = "51s")]
async fn job_50(_data: u32, _context: JobContext) {}

#[job(max_attempts = 7, timeout = "52s")]
async fn job_51(_data: u32, _context: JobContext) {}

#[job(max_attempts = 8, timeout = "53s")]
async fn job_52(_data: u32, _context: JobContext) {}

#[job(max_attempts = 9, timeout = "54s")]
async fn job_53(_data: u32, _context: JobContext) {}

#[job(max_attempts = 1, timeout = "55s")]
async fn job_54(_data: u32, _context: JobContext) {}

#[job(max_attempts = 2, timeout = "56s")]
async fn job_55(_data: u32, _context: JobContext) {}

#[job(max_attempts = 3, timeout = "57s")]
async fn job_56(_data: u32, _context: JobContext) {}

#[job(max_attempts = 4, timeout = "58s")]
async fn job_57(_data: u32, _context: JobContext) {}

#[job(max_attempts = 5, timeout = "59s")]
async fn job_58(_data: u32, _context: JobContext) {}

#[job(max_attempts = 6, timeout = "60s")]
async fn job_59(_data: u32, _context: JobContext) {}

#[job(max_attempts = 7, timeout = "61s")]
async fn job_60(_data: u32, _context: JobContext) {}

#[job(max_attempts = 8, timeout = "62s")]
async fn job_61(_data: u32, _context: JobContext) {}

#[job(max_attempts = 9, timeout = "63s")]
async fn job_62(_data: u32, _context: JobContext) {}

#[job(max_attempts = 1, timeout = "64s")]
async fn job_63(_data: u32, _context: JobContext) {}

#[job(max_attempts = 2, timeout = "65s")]
async fn job_64(_data: u32, _context: JobContext) {}

#[job(max_attempts = 3, timeout = "66s")]
async fn job_65(_data: u32, _context: JobContext) {}

#[job(max_attempts = 4, timeout = "67s")]
async fn job_66(_data: u32, _context: JobContext) {}

#[job(max_attempts = 5, timeout = "68s")]
async fn job_67(_data: u32, _context: JobContext) {}

#[job(max_attempts = 6, timeout = "69s")]
async fn job_68(_data: u32, _context: JobContext) {}

#[job(max_attempts = 7, timeout = "70s")]
async fn job_69(_data: u32, _context: JobContext) {}

#[job(max_attempts = 8, timeout = "71s")]
async fn job_70(_data: u32, _context: JobContext) {}

#[job(max_attempts = 9, timeout = "72s")]
async fn job_71(_data: u32, _context: JobContext) {}

#[job(max_attempts = 1, timeout = "73s")]
async fn job_72(_data: u32, _context: JobContext) {}

#[job(max_attempts = 2, timeout = "74s")]
async fn job_73(_data: u32, _context: JobContext) {}

#[job(max_attempts = 3, timeout = "75s")]
async fn job_74(_data: u32, _context: JobContext) {}

#[job(max_attempts = 4, timeout = "76s")]
async fn job_75(_data: u32, _context: JobContext) {}

#[job(max_attempts = 5, timeout = "77s")]
async fn job_76(_data: u32, _context: JobContext) {}

#[job(max_attempts = 6, timeout = "78s")]
async fn job_77(_data: u32, _context: JobContext) {}

#[job(max_attempts = 7, timeout = "79s")]
async fn job_78(_data: u32, _context: JobContext) {}

#[job(max_attempts = 8, timeout = "80s")]
async fn job_79(_data: u32, _context: JobContext) {}

#[job(max_attempts = 9, timeout = "81s")]
async fn job_80(_data: u32, _context: JobContext) {}

#[job(max_attempts = 1, timeout = "82s")]
async fn job_81(_data: u32, _context: JobContext) {}

#[job(max_attempts = 2, timeout = "83s")]
async fn job_82(_data: u32, _context: JobContext) {}

#[job(max_attempts = 3, timeout = "84s")]
async fn job_83(_data: u32, _context: JobContext) {}

#[job(max_attempts = 4, timeout = "85s")]
async fn job_84(_data: u32, _context: JobContext) {}

#[job(max_attempts = 5, timeout = "86s")]
async fn job_85(_data: u32, _context: JobContext) {}

#[job(max_attempts = 6, timeout = "87s")]
async fn job_86(_data: u32, _context: JobContext) {}

#[job(max_attempts = 7, timeout = "88s")]
async fn job_87(_data: u32, _context: JobContext) {}

#[job(max_attempts = 8, timeout = "89s")]
async fn job_88(_data: u32, _context: JobContext) {}

#[job(max_attempts = 9, timeout = "90s")]
async fn job_89(_data: u32, _context: JobContext) {}

#[job(max_attempts = 1, timeout = "91s")]
async fn job_90(_data: u32, _context: JobContext) {}

#[job(max_attempts = 2, timeout = "92s")]
async fn job_91(_data: u32, _context: JobContext) {}

#[job(max_attempts = 3, timeout = "93s")]
async fn job_92(_data: u32, _context: JobContext) {}

#[job(max_attempts = 4, timeout = "94s")]
async fn job_93(_data: u32, _context: JobContext) {}

#[job(max_attempts = 5, timeout = "95s")]
async fn job_94(_data: u32, _context: JobContext) {}

#[job(max_attempts = 6, timeout = "96s")]
async fn job_95(_data: u32, _context: JobContext) {}

#[job(max_attempts = 7, timeout = "97s")]
async fn job_96(_data: u32, _context: JobContext) {}

#[job(max_attempts = 8, timeout = "98s")]
async fn job_97(_data: u32, _context: JobContext) {}

#[job(max_attempts = 9, timeout = "99s")]
async fn job_98(_data: u32, _context: JobContext) {}

#[job(max_attempts = 1, timeout = "100s")]
async fn job_99(_data: u32, _context: JobContext) {}

fn main() {
    assert_eq!(Rexecutor::registered().len(), 100);
}
