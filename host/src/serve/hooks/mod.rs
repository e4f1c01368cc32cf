//! What the services push: JianDaoYun's rows, WeCom's contact events. They wake a run and bring no data into it.
