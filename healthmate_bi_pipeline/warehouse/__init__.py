"""PostgreSQL: the finished figures and the pipeline's books, and the embedded server that holds them.

Add here what speaks SQL to the warehouse. What figures mean stays in ``catalog``; how they are computed, in
``transforms``; which of it is done when, in ``usecases``.
"""
