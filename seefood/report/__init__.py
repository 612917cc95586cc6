"""The report: one self-contained HTML page about the results of a model.

The page opens from disk, loads nothing and runs no script.

    aggregation  counts, histograms and samples of all rows, in one pass
    thumbnails   small pictures as data URIs
    charts       geometry of the SVG charts
    details      tables about the model and the run
    audited      the estimates of the newest audit
    page         everything that the template shows
    diff_page    the page of `seefood diff`
    writing      makes the page and writes it beside the results
"""
