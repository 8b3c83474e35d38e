"""What each contender does; every module is imported only in the process of its contender."""
