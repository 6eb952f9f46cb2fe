"""What every room stands on: arrays, checks, identifiers, files. No chemistry, no networks."""

from crn_nn_tellurium.basics.arrays import (
    FloatArray,
    by_sample,
    dense,
    is_real,
    is_sparse,
    labels_of,
    read_only,
)
from crn_nn_tellurium.basics.ascii_text import ASIDE, in_ascii
from crn_nn_tellurium.basics.bisection import bracket_largest
from crn_nn_tellurium.basics.cache import Recent
from crn_nn_tellurium.basics.cards import ROWS, card
from crn_nn_tellurium.basics.checks import (
    all_of_kind,
    brief,
    by_name,
    check_choice,
    check_kind,
    check_positive,
    check_share,
    labels_given,
    labels_or_numbers,
    names_of,
    path_of,
    real_number,
    real_numbers,
    require,
    seed_given,
    truth,
    whole_number,
)
from crn_nn_tellurium.basics.colors import LESS, MORE
from crn_nn_tellurium.basics.documents import (
    check_entries,
    check_fields,
    companion_of,
    document_of,
    is_version,
    numbers_in,
    plain_of,
    read_document,
    write_document,
)
from crn_nn_tellurium.basics.files import (
    check_bytes,
    check_new,
    check_target,
    check_unpacked,
    finding,
    make_readable,
    read_bytes,
    read_stream,
    read_text,
    reading,
    sealed,
    shipped_folder,
    unsealed,
    write_bytes,
    write_files,
    writing,
)
from crn_nn_tellurium.basics.frames import frame_of
from crn_nn_tellurium.basics.hdf5 import check_hdf5
from crn_nn_tellurium.basics.identifiers import (
    PATTERN,
    RESERVED,
    check_identifier,
    check_word,
    first_twice,
    free_id,
    headings_by_name,
    reserved,
    suggest_identifier,
    suggest_identifiers,
)
from crn_nn_tellurium.basics.locks import FileLock, Lock
from crn_nn_tellurium.basics.progress import progress_bar
from crn_nn_tellurium.basics.shares import SHARE_LEVEL, share_bounds
from crn_nn_tellurium.basics.sketches import bars, curves, layered
from crn_nn_tellurium.basics.text import (
    cell,
    json_value,
    number,
    separator,
    some,
    to_csv,
    vanishes,
    visible,
)
from crn_nn_tellurium.basics.warning import warn
